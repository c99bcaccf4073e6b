// SPDX-License-Identifier: Apache-2.0
#include "cache/insights/insight_words.hpp"

#include "alli/quick_hash.hpp"
#include "cache/chats/chat_texts.hpp"
#include "cache/text/words.hpp"

#include <unicode/brkiter.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace alli::cache {
namespace {

constexpr std::int32_t longest_text = 2000; // of a question, in UTF-16 units

bool is_hiragana(const icu::UnicodeString& word)
{
    for (std::int32_t at = 0; at < word.length(); at = word.moveIndex32(at, 1))
        if (ublock_getCode(word.char32At(at)) != UBLOCK_HIRAGANA) return false;
    return true;
}

// Numbers, single letters and what only joins words say nothing.
bool says_something(const icu::UnicodeString& word)
{
    const UChar32 first = word.char32At(0);
    const bool ideograph = u_hasBinaryProperty(first, UCHAR_IDEOGRAPHIC);
    return (word.countChar32() > 1 || ideograph) && u_isalpha(first) && !is_hiragana(word);
}

std::set<std::string> words_in(icu::BreakIterator& breaks, const std::string& text)
{
    icu::UnicodeString letters = icu::UnicodeString::fromUTF8(text);
    letters.truncate(longest_text);
    letters.foldCase();
    breaks.setText(letters);
    std::set<std::string> words;
    for (std::int32_t begin = breaks.first(), end = breaks.next(); end != icu::BreakIterator::DONE;
         begin = end, end = breaks.next()) {
        const icu::UnicodeString word(letters, begin, end - begin);
        if (breaks.getRuleStatus() >= UBRK_WORD_NUMBER_LIMIT && says_something(word)) {
            std::string said;
            word.toUTF8String(said);
            words.insert(std::move(said));
        }
    }
    return words;
}

using Counts = std::map<std::string, InsightWord>;

void add_words(Reader& db, icu::BreakIterator& breaks, Counts& counts, const std::vector<std::int64_t>& keys,
               std::int64_t InsightWord::*count)
{
    for (const std::int64_t key : keys) {
        const auto place = db.one<std::int64_t>("SELECT place FROM chat_row WHERE pk = ?1", key);
        const auto text = place ? find_text_at(db, *place) : std::nullopt;
        if (!text) continue;
        for (const std::string& word : words_in(breaks, message_of_chat(text->raw))) {
            InsightWord& counted = counts[word];
            counted.word = word;
            ++(counted.*count);
        }
    }
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
    Counts counts;
    add_words(db, *breaks, counts, bad, &InsightWord::bad);
    add_words(db, *breaks, counts, all, &InsightWord::all);

    constexpr std::size_t most = 30;
    const auto share = [](std::int64_t count, std::size_t of) {
        return (static_cast<double>(count) + 0.5) / (static_cast<double>(of) + 1);
    };
    const auto weight = [&](const InsightWord& word) {
        return static_cast<double>(word.bad) * std::log(share(word.bad, bad.size()) / share(word.all, all.size()));
    };
    std::vector<InsightWord> words;
    for (const auto& [text, word] : counts)
        if (word.bad > 0) words.push_back(word);
    std::stable_sort(words.begin(), words.end(),
                     [&](const InsightWord& a, const InsightWord& b) { return weight(a) > weight(b); });
    if (words.size() > most) words.resize(most);
    return words;
}

} // namespace alli::cache
