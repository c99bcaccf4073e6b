// SPDX-License-Identifier: Apache-2.0
// Search against a plain scan of real dialogues: for every query drawn from them by a seed, the very same chats.
#include "cache/marks.hpp"
#include "cache/search.hpp"
#include "sandbox/dialogues.hpp"
#include "tests/cache/fixture.hpp"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>

#include <random>
#include <set>

namespace alli::cache {
namespace {

std::u16string to_utf16(const std::string& text)
{
    std::u16string out(text.size() + 1, u'\0');
    std::int32_t size = 0;
    UErrorCode code = U_ZERO_ERROR;
    u_strFromUTF8(out.data(), static_cast<std::int32_t>(out.size()), &size, text.data(),
                  static_cast<std::int32_t>(text.size()), &code);
    out.resize(static_cast<std::size_t>(size));
    return out;
}

std::string to_utf8(const std::u16string& text)
{
    std::string out(text.size() * 3 + 1, '\0');
    std::int32_t size = 0;
    UErrorCode code = U_ZERO_ERROR;
    u_strToUTF8(out.data(), static_cast<std::int32_t>(out.size()), &size, text.data(),
                static_cast<std::int32_t>(text.size()), &code);
    out.resize(static_cast<std::size_t>(size));
    return out;
}

std::u16string normal(const std::u16string& text, const UNormalizer2* (*get)(UErrorCode*))
{
    UErrorCode code = U_ZERO_ERROR;
    std::u16string out(text.size() * 4 + 32, u'\0');
    const std::int32_t size = unorm2_normalize(get(&code), text.data(), static_cast<std::int32_t>(text.size()),
                                               out.data(), static_cast<std::int32_t>(out.size()), &code);
    out.resize(static_cast<std::size_t>(size));
    return out;
}

bool is_unspaced(char16_t c)
{
    return (c >= 0x3041 && c <= 0x30ff && c != 0x30fb && c != 0x309b && c != 0x309c) || c == 0x3005 || c == 0x3007 ||
           (c >= 0x3400 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7a3) || (c >= 0x1100 && c <= 0x11ff);
}

bool is_word(char16_t c)
{
    return !is_unspaced(c) && u_isalnum(c);
}

/// The whole text at once, by ICU alone; what parts words is one space.
std::u16string plain(const std::string& text)
{
    std::u16string out;
    bool latin = false;
    for (const char16_t c : normal(normal(to_utf16(text), unorm2_getNFKCCasefoldInstance), unorm2_getNFDInstance)) {
        const bool mark = u_getCombiningClass(c) != 0;
        if (!mark) latin = c < 0x530;
        if (!(mark && latin)) out += c;
    }
    std::u16string spaced;
    for (const char16_t c : normal(out, unorm2_getNFCInstance)) {
        if (is_word(c) || is_unspaced(c))
            spaced += c;
        else if (!spaced.empty() && spaced.back() != u' ')
            spaced += u' ';
    }
    return spaced;
}

/// Letters without spaces anywhere, words whole.
bool stands_in(const std::u16string& text, const std::u16string& term, bool prefix)
{
    for (std::size_t at = text.find(term); at != std::u16string::npos; at = text.find(term, at + 1)) {
        const std::size_t end = at + term.size();
        const bool begins = !is_word(term.front()) || at == 0 || !is_word(text[at - 1]);
        const bool ends = prefix || !is_word(term.back()) || end == text.size() || !is_word(text[end]);
        if (begins && ends) return true;
    }
    return false;
}

class Recall : public CacheTest {
  protected:
    void load()
    {
        const std::string path = std::string(ALLI_SOURCE) + "/../shared/data/dialogues.jsonl.gz";
        if (!std::filesystem::exists(path)) GTEST_SKIP() << "no real dialogues here";
        const auto dialogues = sandbox::read_corpus(path);
        std::vector<std::pair<Conversation, std::vector<Chat>>> made;
        for (std::size_t i = 0; i < dialogues.size(); i += 3) {
            const std::string id = "d" + std::to_string(i);
            std::vector<Chat> chats;
            int n = 0;
            for (const auto& turn : dialogues[i].turns) {
                const auto second = static_cast<std::int64_t>(1'000'000'000 + texts_.size());
                chats.push_back(support::make_chat(id, n++, second, turn.text));
                texts_.push_back(turn.text), plain_.push_back(plain(without_marks(turn.text)));
            }
            const nlohmann::json untitled{{"title", nullptr}};
            made.emplace_back(
                support::make_conversation(id, static_cast<std::int64_t>(1'000'000'000 + texts_.size()), untitled),
                std::move(chats));
        }
        write([&](Writer& db) {
            for (const auto& [conversation, chats] : made) {
                put_conversation(db, conversation);
                put_chats(db, conversation.id, 0, chats);
            }
        });
    }

    std::u16string draw_text()
    {
        for (;;)
            if (const auto& text = plain_[random_() % plain_.size()]; text.size() > 8) return text;
    }

    /// `size` letters from anywhere in a run of letters without spaces.
    std::string draw_letters(std::size_t size)
    {
        for (;;) {
            const std::u16string text = draw_text();
            const std::size_t at = random_() % text.size();
            const std::u16string part = text.substr(at, size);
            if (part.size() == size && std::all_of(part.begin(), part.end(), is_unspaced)) return to_utf8(part);
        }
    }

    std::vector<std::string> draw_words(std::size_t count)
    {
        for (;;) {
            const std::u16string text = draw_text();
            std::vector<std::string> words{""};
            for (const char16_t c : text) {
                if (c == u' ')
                    words.emplace_back();
                else
                    words.back() += to_utf8({c});
            }
            if (words.back().empty()) words.pop_back();
            const auto ascii = [](const std::string& w) {
                return std::all_of(w.begin(), w.end(), [](char c) { return c > 0; });
            };
            if (words.size() <= count + 1 || !std::all_of(words.begin(), words.end(), ascii)) continue;
            const std::size_t from = random_() % (words.size() - count);
            return {words.begin() + static_cast<std::ptrdiff_t>(from),
                    words.begin() + static_cast<std::ptrdiff_t>(from + count)};
        }
    }

    /// From a place where both kinds of letters touch.
    std::string draw_mixed()
    {
        for (;;) {
            const std::u16string text = draw_text();
            const std::size_t at = 1 + random_() % (text.size() - 1);
            if (!((is_word(text[at - 1]) && is_unspaced(text[at])) || (is_unspaced(text[at - 1]) && is_word(text[at]))))
                continue;
            std::size_t from = at, to = at;
            while (from > 0 && text[from - 1] != u' ' && (is_word(text[from - 1]) || at - from < random_() % 3 + 1))
                --from;
            while (to < text.size() && text[to] != u' ' && (is_word(text[to]) || to - at < random_() % 3 + 1)) ++to;
            while (is_word(text[from]) && from > 0 && is_word(text[from - 1])) --from;
            while (to < text.size() && is_word(text[to - 1]) && is_word(text[to])) ++to;
            return to_utf8(text.substr(from, to - from));
        }
    }

    using Keys = std::set<std::string>;

    Keys scan(const std::function<bool(const std::u16string&)>& holds)
    {
        Keys keys;
        for (std::size_t i = 0; i < plain_.size(); ++i)
            if (holds(plain_[i])) keys.insert(texts_[i] + '#' + std::to_string(1'000'000'000 + i));
        return keys;
    }

    /// All hits, page by page.
    Keys ask(const std::string& text)
    {
        Keys keys;
        SearchQuery query;
        query.text = text;
        query.limit = 1000;
        std::int64_t total = 0;
        do {
            const auto page = store_->read([&](Reader& db) { return search(db, query); });
            for (const SearchHit& hit : page.hits) {
                const auto second = std::chrono::floor<std::chrono::seconds>(*hit.sent_at).time_since_epoch().count();
                EXPECT_TRUE(
                    keys.insert(texts_[static_cast<std::size_t>(second - 1'000'000'000)] + '#' + std::to_string(second))
                        .second)
                    << "twice: " << text;
            }
            query.cursor = page.next;
            total = page.total;
        } while (query.cursor);
        if (keys.size() <= 10'000) {
            EXPECT_EQ(total, static_cast<std::int64_t>(keys.size())) << text;
        }
        return keys;
    }

    void expect_same(const std::string& query, const Keys& truth)
    {
        ++asked_;
        const Keys found = ask(query);
        if (found == truth) return;
        std::vector<std::string> missed, wrong;
        std::set_difference(truth.begin(), truth.end(), found.begin(), found.end(), std::back_inserter(missed));
        std::set_difference(found.begin(), found.end(), truth.begin(), truth.end(), std::back_inserter(wrong));
        ADD_FAILURE() << query << ": " << missed.size() << " missed, " << wrong.size() << " wrong of " << truth.size()
                      << "\nmissed: " << (missed.empty() ? "-" : missed.front())
                      << "\nwrong: " << (wrong.empty() ? "-" : wrong.front());
    }

    void expect_term(const std::string& query, bool prefix = false)
    {
        const std::u16string term = plain(query);
        expect_same(prefix ? query + '*' : query,
                    scan([&](const auto& text) { return stands_in(text, term, prefix); }));
    }

    std::string decomposed(const std::string& text) { return to_utf8(normal(to_utf16(text), unorm2_getNFDInstance)); }

    static constexpr unsigned seed = 6;
    std::mt19937 random_{seed};
    std::vector<std::string> texts_;
    std::vector<std::u16string> plain_;
    int asked_ = 0;
};

std::string wide(const std::string& ascii)
{
    std::u16string out;
    for (const char c : ascii) out += static_cast<char16_t>(c > ' ' ? c + 0xfee0 : c);
    return to_utf8(out);
}

TEST_F(Recall, IsThatOfAPlainScanForLettersAndWords)
{
    ASSERT_NO_FATAL_FAILURE(load());
    if (texts_.empty()) GTEST_SKIP();
    for (const std::size_t size : {1, 2, 3, 4, 6})
        for (int i = 0; i < 25; ++i) expect_term(draw_letters(size));
    for (int i = 0; i < 40; ++i) expect_term(draw_words(1).front());
    for (int i = 0; i < 30; ++i)
        expect_term('"' + fmt::format("{}", fmt::join(draw_words(2 + random_() % 2), " ")) + '"');
    for (int i = 0; i < 40; ++i) expect_term(draw_mixed());
    for (int i = 0; i < 15; ++i) expect_term(wide(draw_words(1).front()));
    for (int i = 0; i < 15; ++i) expect_term(decomposed(draw_letters(2)));
    for (const char* term : {"여행", "温泉", "宿", "ﾎﾃﾙ", "ｶﾞ", "１泊", "1泊2", "Café", "3", "20", "年", "ㅋㅋ"})
        expect_term(term);
    RecordProperty("queries", asked_);
    EXPECT_GE(asked_, 270);
}

TEST_F(Recall, IsThatOfAPlainScanForQueriesOfSeveral)
{
    ASSERT_NO_FATAL_FAILURE(load());
    if (texts_.empty()) GTEST_SKIP();
    for (int i = 0; i < 20; ++i) expect_term(draw_words(1).front().substr(0, 3), true);
    for (int i = 0; i < 60; ++i) {
        const auto draw = [&] { return random_() % 2 ? draw_letters(1 + random_() % 3) : draw_words(1).front(); };
        const std::string a = draw(), b = draw();
        const std::u16string pa = plain(a), pb = plain(b);
        const auto has = [](const std::u16string& text, const std::u16string& term) {
            return stands_in(text, term, false);
        };
        expect_same(a + " " + b, scan([&](const auto& t) { return has(t, pa) && has(t, pb); }));
        expect_same(a + " OR " + b, scan([&](const auto& t) { return has(t, pa) || has(t, pb); }));
        expect_same(a + " -" + b, scan([&](const auto& t) { return has(t, pa) && !has(t, pb); }));
        if (i % 10 == 0) expect_same("-" + a, scan([&](const auto& t) { return !has(t, pa); }));
    }
}

} // namespace
} // namespace alli::cache
