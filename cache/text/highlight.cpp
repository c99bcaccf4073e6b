// SPDX-License-Identifier: Apache-2.0
#include "cache/text/highlight.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

// Counts on from the last place that was asked for.
class Utf16Count {
  public:
    explicit Utf16Count(std::string_view text) : text_(text) {}

    std::size_t up_to(std::size_t byte)
    {
        for (; at_ < byte && at_ < text_.size(); ++at_) {
            const auto c = static_cast<unsigned char>(text_[at_]);
            if ((c & 0xc0) != 0x80) units_ += c >= 0xf0 ? 2 : 1; // beyond the first plane: a pair
        }
        return units_;
    }

  private:
    std::string_view text_;
    std::size_t at_ = 0, units_ = 0;
};

} // namespace

std::vector<MatchSpan> find_spans(std::string_view text, const std::vector<Phrase>& wanted)
{
    std::vector<MatchSpan> spans;
    const std::vector<PhraseToken> tokens = tokens_of(text);
    for (std::size_t at = 0; at < tokens.size(); ++at)
        for (std::size_t n = 0; n < wanted.size(); ++n)
            if (const std::size_t length = match_at(tokens, at, wanted[n]); length > 0)
                spans.push_back({begin_of_match(tokens[at], wanted[n]), tokens[at + length - 1].end, n});
    const auto by_begin = [](const MatchSpan& a, const MatchSpan& b) { return a.begin < b.begin; };
    if (!std::is_sorted(spans.begin(), spans.end(), by_begin)) std::stable_sort(spans.begin(), spans.end(), by_begin);
    return spans;
}

std::vector<TextRange> find_highlights(std::string_view text, const std::vector<Phrase>& wanted, std::size_t most)
{
    std::vector<TextRange> ranges;
    Utf16Count count(text);
    const std::vector<MatchSpan> spans = find_spans(text, wanted);
    for (std::size_t i = 0; i < spans.size() && ranges.size() < most;) {
        const std::size_t begin = spans[i].begin;
        std::size_t end = spans[i].end;
        while (++i < spans.size() && spans[i].begin <= end) end = std::max(end, spans[i].end);
        const std::size_t from = count.up_to(begin);
        ranges.push_back({from, count.up_to(end)});
    }
    return ranges;
}

} // namespace alli::cache
