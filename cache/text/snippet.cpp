// SPDX-License-Identifier: Apache-2.0
#include "cache/text/snippet.hpp"

#include "cache/text/highlight.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

constexpr std::size_t bytes_before = 60, bytes_in_all = 240;

// The span that a window should begin with: from there on it holds the most phrases; of equal ones the first.
struct Best {
    std::size_t first = 0, matched = 0;
};
Best find_best(const std::vector<MatchSpan>& spans, std::size_t phrases)
{
    Best best;
    std::vector<bool> seen;
    for (std::size_t first = 0; first < spans.size() && best.matched < phrases; ++first) {
        seen.assign(phrases, false);
        std::size_t matched = 0;
        for (std::size_t i = first; i < spans.size() && spans[i].end < spans[first].begin + bytes_in_all; ++i)
            if (!seen[spans[i].phrase]) seen[spans[i].phrase] = true, ++matched;
        if (matched > best.matched) best = {first, matched};
    }
    return best;
}

std::size_t character_start(std::string_view text, std::size_t at) // at, or the start of the character it lies in
{
    at = std::min(at, text.size());
    while (at > 0 && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
    return at;
}

std::string_view escaped(char c) // one of those below
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return " ";
    }
}

void append_escaped(std::string& html, std::string_view text)
{
    constexpr std::string_view special("&<>\"'\n\r\t\0\xe2", 10); // the last may begin what is not shown
    constexpr std::string_view unseen = "\u2063";                 // a soft break
    while (!text.empty()) {
        const std::size_t plain = std::min(text.find_first_of(special), text.size());
        html += text.substr(0, plain);
        text.remove_prefix(plain);
        if (text.empty()) return;
        const bool hidden = text.starts_with(unseen);
        if (!hidden) html += text[0] == unseen[0] ? text.substr(0, 1) : escaped(text[0]);
        text.remove_prefix(hidden ? unseen.size() : 1);
    }
}

} // namespace

Snippet make_snippet(std::string_view text, const std::vector<Phrase>& wanted)
{
    const auto spans = find_spans(text, wanted);
    const Best best = find_best(spans, wanted.size());
    const std::size_t first = spans.empty() ? 0 : spans[best.first].begin;
    const std::size_t from = character_start(text, first > bytes_before ? first - bytes_before : 0);
    const std::size_t to = character_start(text, from + bytes_in_all);

    Snippet snippet{from > 0 ? "…" : "", best.matched};
    std::size_t at = from;
    for (std::size_t i = 0; i < spans.size(); ++i) {
        const std::size_t begin = std::max(spans[i].begin, at);
        std::size_t end = std::min(spans[i].end, to);
        if (begin >= end) continue;
        while (i + 1 < spans.size() && spans[i + 1].begin <= end) end = std::max(end, std::min(spans[++i].end, to));
        append_escaped(snippet.html, text.substr(at, begin - at));
        snippet.html += "<mark>";
        append_escaped(snippet.html, text.substr(begin, end - begin));
        snippet.html += "</mark>";
        at = end;
    }
    append_escaped(snippet.html, text.substr(at, to - at));
    if (to < text.size()) snippet.html += "…";
    return snippet;
}

} // namespace alli::cache
