// SPDX-License-Identifier: Apache-2.0
#include "cache/snippet.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

constexpr std::size_t bytes_before = 60, bytes_after = 180;

std::string fold_ascii(std::string_view text)
{
    std::string folded(text);
    for (char& c : folded)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return folded;
}

std::size_t character_start(std::string_view text, std::size_t at) // at, or the start of the character it lies in
{
    while (at > 0 && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
    return std::min(at, text.size());
}

void append_escaped(std::string& html, char c)
{
    switch (c) {
    case '&':
        html += "&amp;";
        break;
    case '<':
        html += "&lt;";
        break;
    case '>':
        html += "&gt;";
        break;
    case '"':
        html += "&quot;";
        break;
    case '\'':
        html += "&#39;";
        break;
    case '\n':
    case '\r':
    case '\t':
        html += ' ';
        break;
    default:
        html += c;
    }
}

// The length of the term that begins at `at`, 0 when none does.
std::size_t match_at(std::string_view folded, std::size_t at, const std::vector<std::string>& terms)
{
    std::size_t longest = 0;
    for (const std::string& term : terms)
        if (term.size() > longest && folded.substr(at).starts_with(term)) longest = term.size();
    return longest;
}

} // namespace

std::string make_snippet(std::string_view text, const std::vector<std::string>& terms)
{
    std::vector<std::string> wanted;
    for (const std::string& term : terms) wanted.push_back(fold_ascii(term));
    const std::string folded = fold_ascii(text);

    std::size_t first = std::string::npos;
    for (const std::string& term : wanted) first = std::min(first, folded.find(term));
    if (first == std::string::npos) first = 0; // matched by the tokenizer's folding: show the beginning
    const std::size_t from = character_start(text, first > bytes_before ? first - bytes_before : 0);
    const std::size_t to = character_start(text, std::min(text.size(), first + bytes_after));

    std::string html = from > 0 ? "…" : "";
    for (std::size_t at = from; at < to;) {
        const std::size_t length = std::min(match_at(folded, at, wanted), to - at);
        if (length > 0) html += "<mark>";
        for (const std::size_t end = at + std::max<std::size_t>(length, 1); at < end; ++at)
            append_escaped(html, text[at]);
        if (length > 0) html += "</mark>";
    }
    return to < text.size() ? html + "…" : html;
}

} // namespace alli::cache
