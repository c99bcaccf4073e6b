// SPDX-License-Identifier: Apache-2.0
#include "daemon/output/terminal.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <unistd.h>
#include <utility>

namespace alli::daemon {

static unsigned byte_at(std::string_view text, std::size_t at)
{
    return at < text.size() ? static_cast<unsigned char>(text[at]) : 0;
}

/// The length of the escape sequence at the front (ECMA-48): CSI ends with a byte from @ to ~, OSC and similar with BEL
/// or ST.
static std::size_t escape_length(std::string_view text)
{
    const unsigned kind = byte_at(text, 1);
    std::size_t end = 2;
    if (kind == '[') {
        while (end < text.size() && (byte_at(text, end) < 0x40 || byte_at(text, end) > 0x7e)) ++end;
        return std::min(end + 1, text.size());
    }
    if (std::string_view("]PX^_").find(static_cast<char>(kind)) == std::string_view::npos || kind == 0)
        return std::min(end, text.size());
    while (end < text.size() && byte_at(text, end) != 7 && byte_at(text, end) != 0x1b) ++end;
    if (byte_at(text, end) == 0x1b && byte_at(text, end + 1) == '\\') ++end;
    return std::min(end + 1, text.size());
}

/// The length of the valid UTF-8 character at the front; 0 if there is none.
static std::size_t character_length(std::string_view text)
{
    const unsigned first = byte_at(text, 0);
    const std::size_t length = first < 0x80   ? 1
                               : first < 0xc2 ? 0
                               : first < 0xe0 ? 2
                               : first < 0xf0 ? 3
                               : first < 0xf5 ? 4
                                              : 0;
    if (length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte_at(text, i) & 0xc0) != 0x80) return 0;
    const unsigned second = byte_at(text, 1);
    const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    const bool beyond = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
    return overlong || beyond ? 0 : length;
}

static bool is_control(std::string_view character)
{
    const unsigned first = byte_at(character, 0);
    if (character.size() == 1) return (first < 0x20 && first != '\n' && first != '\t') || first == 0x7f;
    return character.size() == 2 && first == 0xc2 && byte_at(character, 1) < 0xa0; // C1
}

std::string printable(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        std::size_t length = 0;
        if (text.front() == '\x1b') {
            length = escape_length(text);
        } else {
            length = character_length(text);
            if (length == 0)
                out += '?';
            else if (!is_control(text.substr(0, length)))
                out += text.substr(0, length);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

std::string printable_line(std::string_view text)
{
    std::string line = printable(text);
    for (char& letter : line)
        if (letter == '\n' || letter == '\t') letter = ' ';
    return line;
}

bool takes_escapes(int descriptor)
{
    const char* kind = std::getenv("TERM");
    return ::isatty(descriptor) == 1 && kind != nullptr && *kind != '\0' && std::string_view(kind) != "dumb";
}

bool wants_bold()
{
    const char* refused = std::getenv("NO_COLOR");
    return takes_escapes(STDOUT_FILENO) && (refused == nullptr || *refused == '\0');
}

std::string snippet_text(std::string_view snippet, bool bold)
{
    struct Mark {
        std::string_view html, text;
    };
    const auto marks = std::to_array<Mark>({
        {"<mark>", bold ? "\x1b[1m" : ""},
        {"</mark>", bold ? "\x1b[0m" : ""},
        {"&lt;", "<"},
        {"&gt;", ">"},
        {"&quot;", "\""},
        {"&#39;", "'"},
        {"&amp;", "&"},
    });
    const std::string clean = printable_line(snippet); // before our own escapes come in
    std::string out;
    for (std::string_view rest = clean; !rest.empty();) {
        const auto* mark =
            std::find_if(marks.begin(), marks.end(), [&](const Mark& m) { return rest.starts_with(m.html); });
        out += mark == marks.end() ? rest.substr(0, 1) : mark->text;
        rest.remove_prefix(mark == marks.end() ? 1 : mark->html.size());
    }
    return out;
}

void print_failure(std::string_view sentence, std::string_view hint)
{
    fmt::print(stderr, "alli-mirror: {}\n", printable_line(sentence));
    if (!hint.empty()) fmt::print(stderr, "  hint: {}\n", printable_line(hint));
}

std::string say_time(std::optional<Instant> when, const Zone& zone)
{
    if (!when) return "-";
    std::string text = to_rfc3339(std::chrono::floor<std::chrono::seconds>(*when), zone); // 2026-01-31T09:30:05Z
    const std::size_t date = text.find('T');
    const std::size_t offset = text.find_first_of("Z+-", date);
    const std::string shown = text[offset] == 'Z' ? "UTC" : text.substr(offset);
    return fmt::format("{} {} {}", text.substr(0, date), text.substr(date + 1, offset - date - 1), shown);
}

void print_json(std::string_view json)
{
    if (::isatty(STDOUT_FILENO) == 1)
        fmt::print("{}\n", printable(json));
    else
        fmt::print("{}\n", json);
}

} // namespace alli::daemon
