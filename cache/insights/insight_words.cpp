// SPDX-License-Identifier: Apache-2.0
#include "cache/insights/insight_words.hpp"

#include "alli/quick_hash.hpp"
#include "cache/chats/chat_texts.hpp"
#include "cache/chats/segment.hpp"
#include "cache/db/chat_text_key.hpp"
#include "cache/text/words.hpp"

#include <unicode/brkiter.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <unordered_map>

namespace alli::cache {
namespace {

constexpr std::int32_t longest_text = 2000; // of a question, in UTF-16 units

bool is_hiragana(UChar32 letter)
{
    return letter >= 0x3040 && letter <= 0x309f;
}

// Numbers, single letters and what only joins words say nothing.
bool says_something(const icu::UnicodeString& text, std::int32_t begin, std::int32_t end)
{
    const UChar32 first = text.char32At(begin);
    if (!u_isalpha(first)) return false;
    if (text.moveIndex32(begin, 1) >= end) return u_hasBinaryProperty(first, UCHAR_IDEOGRAPHIC) != 0;
    for (std::int32_t at = begin; at < end; at = text.moveIndex32(at, 1))
        if (!is_hiragana(text.char32At(at))) return true;
    return false;
}

/// Each word of a text once.
class WordReader {
  public:
    explicit WordReader(icu::BreakIterator& breaks) : breaks_(breaks) {}

    /// Valid until the next call.
    const std::vector<std::string>& read(const std::string& text)
    {
        icu::UnicodeString letters = icu::UnicodeString::fromUTF8(text);
        letters.truncate(longest_text);
        letters.foldCase();
        breaks_.setText(letters);
        words_.clear();
        for (std::int32_t begin = breaks_.first(), end = breaks_.next(); end != icu::BreakIterator::DONE;
             begin = end, end = breaks_.next())
            if (breaks_.getRuleStatus() >= UBRK_WORD_NUMBER_LIMIT && says_something(letters, begin, end))
                letters.tempSubStringBetween(begin, end).toUTF8String(words_.emplace_back());
        std::sort(words_.begin(), words_.end());
        words_.erase(std::unique(words_.begin(), words_.end()), words_.end());
        return words_;
    }

  private:
    icu::BreakIterator& breaks_;
    std::vector<std::string> words_;
};

/// Where a question stands, and of which samples it is.
struct Sampled {
    std::int64_t place, bad, all; // 1 or 0

    std::int64_t segment() const { return place - ordinal_of_key(place) % chats_a_segment; }
    bool operator<(const Sampled& other) const { return place < other.place; }
};

// Questions that stand in one segment lie side by side.
std::vector<Sampled> in_order(const std::vector<std::int64_t>& bad, const std::vector<std::int64_t>& all)
{
    std::vector<Sampled> places;
    for (const std::int64_t place : bad) places.push_back({place, 1, 0});
    for (const std::int64_t place : all) places.push_back({place, 0, 1});
    std::sort(places.begin(), places.end());
    return places;
}

using Counts = std::unordered_map<std::string, InsightWord>;

// Those of one segment, which is unpacked once.
void add_words(Reader& db, WordReader& reader, Counts& counts, std::span<const Sampled> places)
{
    const std::int64_t first = ordinal_of_key(places.front().place), last = ordinal_of_key(places.back().place);
    const auto take = [&](const ChatTextView& text) {
        while (!places.empty() && ordinal_of_key(places.front().place) < text.ordinal) places = places.subspan(1);
        std::int64_t bad = 0, all = 0;
        for (; !places.empty() && ordinal_of_key(places.front().place) == text.ordinal; places = places.subspan(1))
            bad += places.front().bad, all += places.front().all;
        if (bad + all == 0) return;
        for (const std::string& word : reader.read(message_of_chat(text.raw))) {
            InsightWord& counted = counts[word];
            counted.bad += bad, counted.all += all;
        }
    };
    visit_texts(db, conversation_of_key(places.front().place), first, last + 1, take);
}

Counts count_all(Reader& db, WordReader& reader, std::span<const Sampled> places)
{
    Counts counts;
    while (!places.empty()) {
        const auto end = std::find_if(places.begin(), places.end(),
                                      [&](const Sampled& one) { return one.segment() != places.front().segment(); });
        const auto count = static_cast<std::size_t>(end - places.begin());
        add_words(db, reader, counts, places.first(count));
        places = places.subspan(count);
    }
    return counts;
}

} // namespace

bool KeySample::add(std::int64_t key)
{
    const std::uint64_t hash = quick_hash(std::to_string(key));
    if (kept_.size() == most && kept_.top().first < hash) return false;
    kept_.emplace(hash, key);
    if (kept_.size() > most) kept_.pop();
    return true;
}

std::vector<std::int64_t> KeySample::keys() const
{
    std::vector<std::int64_t> keys;
    for (auto left = kept_; !left.empty(); left.pop()) keys.push_back(left.top().second);
    std::reverse(keys.begin(), keys.end()); // by hash
    return keys;
}

// By how much more often a word stands in bad questions than in all, among those that stand in some of them.
std::vector<InsightWord> count_words(Reader& db, const std::vector<std::int64_t>& bad,
                                     const std::vector<std::int64_t>& all)
{
    UErrorCode fault = U_ZERO_ERROR;
    const std::unique_ptr<icu::BreakIterator> breaks(
        icu::BreakIterator::createWordInstance(icu::Locale::getRoot(), fault));
    if (U_FAILURE(fault) || bad.empty()) return {};
    WordReader reader(*breaks);

    constexpr std::size_t most = 30;
    const auto share = [](std::int64_t count, std::size_t of) {
        return (static_cast<double>(count) + 0.5) / (static_cast<double>(of) + 1);
    };
    const auto weight = [&](const InsightWord& word) {
        return static_cast<double>(word.bad) * std::log(share(word.bad, bad.size()) / share(word.all, all.size()));
    };
    std::vector<InsightWord> words;
    for (const auto& [text, word] : count_all(db, reader, in_order(bad, all)))
        if (word.bad > 0) words.push_back({text, word.bad, word.all});
    std::sort(words.begin(), words.end(), [](const InsightWord& a, const InsightWord& b) { return a.word < b.word; });
    std::stable_sort(words.begin(), words.end(),
                     [&](const InsightWord& a, const InsightWord& b) { return weight(a) > weight(b); });
    if (words.size() > most) words.resize(most);
    return words;
}

} // namespace alli::cache
