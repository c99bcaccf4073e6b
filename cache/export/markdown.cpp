// SPDX-License-Identifier: Apache-2.0
#include "cache/export/markdown.hpp"

#include "alli/printable.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

namespace alli::cache {
namespace {

// CommonMark allows any ASCII punctuation to be escaped, so characters that only a dialect interprets are escaped too:
// ~ | (GFM), $ ^ { } (mathematics, attributes), = % (highlights, comments), # (tags).
constexpr std::string_view anywhere = "\\`*_[]<>&~|$^{}=%#";
constexpr std::string_view at_start = "-+:"; // of a line: lists, underlines, definitions, delimiters of a table

bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool is_dot_of_name(std::string_view line, std::size_t at) // evil.com, which some make an address of
{
    const bool behind = is_letter(line[at - 1]) || is_digit(line[at - 1]);
    return behind && at + 1 < line.size() && is_letter(line[at + 1]);
}

bool must_escape(std::string_view line, std::size_t at)
{
    const char c = line[at];
    if (anywhere.find(c) != std::string_view::npos) return true;
    if (at == 0) return at_start.find(c) != std::string_view::npos;
    if (c == ':') return at + 1 < line.size() && is_letter(line[at + 1]); // :smile:
    if (c == '.' && is_dot_of_name(line, at)) return true;
    const bool numbers = c == '.' || c == ')'; // "1.", "1)" at the start of a line: a list that renumbers
    return numbers && std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(at), is_digit);
}

bool is_address(std::string_view word)
{
    std::string small(word);
    std::transform(small.begin(), small.end(), small.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
    const auto holds = [&](std::string_view part) { return small.find(part) != std::string::npos; };
    return holds("://") || holds("www.") || holds("@");
}

std::string code(std::string_view text)
{
    std::size_t longest = 0, run = 0;
    for (const char c : text) longest = std::max(longest, run = c == '`' ? run + 1 : 0);
    const std::string fence(longest + 1, '`');
    const bool touches = text.starts_with('`') || text.ends_with('`') || text.empty();
    const std::string_view pad = touches ? " " : "";
    return fmt::format("{0}{1}{2}{1}{0}", fence, pad, text);
}

// An address becomes code, because GitHub's dialect links it whatever is escaped.
std::string escape(std::string_view line)
{
    std::string out;
    for (std::size_t at = 0; at < line.size();) {
        const std::size_t end = std::min(line.find_first_of(" \t", at), line.size());
        if (const std::string_view word = line.substr(at, end - at); is_address(word)) {
            out += code(word);
            at = end;
        }
        for (; at < end; ++at) {
            if (must_escape(line, at)) out += '\\';
            out += line[at];
        }
        if (at < line.size()) out += line[at++];
    }
    return out;
}

std::string_view without_blanks_behind(std::string_view line) // wide ones too: some readers drop those themselves
{
    constexpr std::array<std::string_view, 4> blanks{" ", "\t", "\xc2\xa0", "\xe3\x80\x80"};
    const auto is_behind = [&](std::string_view blank) { return line.ends_with(blank); };
    for (const auto* found = blanks.begin(); found != blanks.end();)
        if (found = std::find_if(blanks.begin(), blanks.end(), is_behind); found != blanks.end())
            line.remove_suffix(found->size());
    return line;
}

// Leading blanks would turn a line into code, or be dropped.
std::string escape_indented(std::string_view line)
{
    std::string out;
    for (; !line.empty() && (line[0] == ' ' || line[0] == '\t'); line.remove_prefix(1))
        out += line[0] == ' ' ? "&nbsp;" : "&nbsp;&nbsp;&nbsp;&nbsp;";
    return out + escape(line);
}

// Normalizes every line separator to a line feed.
std::string with_plain_line_ends(std::string_view text)
{
    constexpr std::array<std::string_view, 7> ends{"\r\n",     "\r",           "\v",          "\f",
                                                   "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};
    std::string out;
    while (!text.empty()) {
        const auto* const end =
            std::find_if(ends.begin(), ends.end(), [&](std::string_view one) { return text.starts_with(one); });
        out += end == ends.end() ? text.front() : '\n';
        text.remove_prefix(end == ends.end() ? 1 : end->size());
    }
    return out;
}

} // namespace

std::string markdown_line(std::string_view text)
{
    const std::string line = printable_line(with_plain_line_ends(text));
    const std::size_t first = line.find_first_not_of(' ');
    return first == std::string::npos ? "" : escape(without_blanks_behind(std::string_view(line).substr(first)));
}

std::string markdown_quote(std::string_view text)
{
    const std::string clean = printable(with_plain_line_ends(text));
    std::string out;
    bool open = false; // a paragraph, whose next line must not run on
    for (std::string_view rest = clean;;) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = without_blanks_behind(rest.substr(0, end));
        if (open && !line.empty()) out += "  "; // a hard break, by the form that every reader knows
        if (!out.empty()) out += '\n';
        out += line.empty() ? ">" : "> " + escape_indented(line);
        open = !line.empty();
        if (end == rest.size()) return out;
        rest.remove_prefix(end + 1);
    }
}

std::string markdown_code(std::string_view text)
{
    return code(printable_line(with_plain_line_ends(text)));
}

} // namespace alli::cache
