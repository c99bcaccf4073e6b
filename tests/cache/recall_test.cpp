// SPDX-License-Identifier: Apache-2.0
// Search against a plain scan of real dialogues: for every query drawn from them by a seed, the very same chats.
#include "cache/search/search.hpp"
#include "sandbox/dialogues.hpp"
#include "tests/cache/fixture.hpp"
#include "tests/cache/plain_scan.hpp"

#include <cstdlib>
#include <random>
#include <set>

namespace alli::cache {
namespace {

using plain_scan::is_unspaced;
using plain_scan::is_word;
using plain_scan::plain;
using plain_scan::stands_in;
using plain_scan::to_utf8;

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
                texts_.push_back(turn.text);
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
        if (!plain_.empty()) return;
        for (const std::string& text : texts_) {
            plain_.push_back(plain(plain_scan::without_emphasis(text)));
            bytes_.push_back(to_utf8(plain_.back()));
        }
    }

    std::u32string draw_text()
    {
        for (;;)
            if (const auto& text = plain_[random_() % plain_.size()]; text.size() > 8) return text;
    }

    /// `size` letters from anywhere in a run of letters without spaces.
    std::string draw_letters(std::size_t size)
    {
        for (;;) {
            const std::u32string text = draw_text();
            const std::size_t at = random_() % text.size();
            const std::u32string part = text.substr(at, size);
            if (part.size() == size && std::all_of(part.begin(), part.end(), is_unspaced)) return to_utf8(part);
        }
    }

    std::vector<std::string> draw_words(std::size_t count)
    {
        for (;;) {
            const std::u32string text = draw_text();
            std::vector<std::string> words{""};
            for (const char32_t c : text) {
                if (c == U' ')
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
            const std::u32string text = draw_text();
            const std::size_t at = 1 + random_() % (text.size() - 1);
            if (!((is_word(text[at - 1]) && is_unspaced(text[at])) || (is_unspaced(text[at - 1]) && is_word(text[at]))))
                continue;
            std::size_t from = at, to = at;
            while (from > 0 && text[from - 1] != U' ' && (is_word(text[from - 1]) || at - from < random_() % 3 + 1))
                --from;
            while (to < text.size() && text[to] != U' ' && (is_word(text[to]) || to - at < random_() % 3 + 1)) ++to;
            while (is_word(text[from]) && from > 0 && is_word(text[from - 1])) --from;
            while (to < text.size() && is_word(text[to - 1]) && is_word(text[to])) ++to;
            return to_utf8(text.substr(from, to - from));
        }
    }

    using Keys = std::set<std::string>;

    /// Of the texts that hold the first word of `needed`, and of those with soft breaks: others need no closer look.
    Keys scan(const std::u32string& needed, const std::function<bool(const std::u32string&)>& holds)
    {
        Keys keys;
        const std::string first = to_utf8(needed.substr(0, needed.find(U' '))), soft = "\u2063";
        for (std::size_t i = 0; i < plain_.size(); ++i) {
            const bool may = bytes_[i].find(first) != std::string::npos || bytes_[i].find(soft) != std::string::npos;
            if (may && holds(plain_[i])) keys.insert(texts_[i] + '#' + std::to_string(1'000'000'000 + i));
        }
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
        const std::u32string term = plain(query);
        expect_same(prefix ? query + '*' : query,
                    scan(term, [&](const auto& text) { return stands_in(text, term, prefix); }));
    }

    /// A piece of a text as it was written, blanks and marks included; half a word is one that is not there.
    std::string draw_piece()
    {
        for (;;) {
            const std::u32string text = plain_scan::decode(texts_[random_() % texts_.size()]);
            const std::u32string part =
                text.substr(random_() % std::max<std::size_t>(text.size(), 1), 2 + random_() % 14);
            if (part.find_first_of(U"\"“”＂") == part.npos && plain(to_utf8(part)).size() > 1) return to_utf8(part);
        }
    }

    /// Letters of one text that end a word, and those of another that begin one.
    std::string draw_splice() { return draw_piece() + (random_() % 2 ? " " : "") + draw_piece(); }

    void expect_phrase(const std::string& piece)
    {
        const std::u32string term = plain(plain_scan::without_emphasis(piece));
        if (term.find_first_not_of(U' ') == term.npos) return;
        expect_same('"' + piece + '"', scan(term, [&](const auto& text) { return stands_in(text, term); }));
    }

    static int how_many(int usual)
    {
        const char* wanted = std::getenv("ALLI_SEARCH_QUERIES");
        return wanted ? std::atoi(wanted) : usual;
    }

    static constexpr unsigned seed = 6;
    std::mt19937 random_{seed};
    std::vector<std::string> texts_;
    static inline std::vector<std::u32string> plain_; // for all tests: it takes long
    static inline std::vector<std::string> bytes_;
    int asked_ = 0;
};

std::string wide(const std::string& ascii)
{
    std::u32string out;
    for (const char c : ascii) out += static_cast<char32_t>(c > ' ' ? c + 0xfee0 : c);
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
    for (int i = 0; i < 15; ++i) expect_term(plain_scan::decomposed(draw_letters(2)));
    for (const char* term : {"여행", "温泉", "宿", "ﾎﾃﾙ", "ｶﾞ", "１泊", "1泊2", "Café", "3", "20", "年", "ㅋㅋ"})
        expect_term(term);
    RecordProperty("queries", asked_);
    EXPECT_GE(asked_, 270);
}

// With ALLI_SEARCH_QUERIES that many of each kind.
TEST_F(Recall, IsThatOfAPlainScanForPhrasesOfAnyPiece)
{
    ASSERT_NO_FATAL_FAILURE(load());
    if (texts_.empty()) GTEST_SKIP();
    for (int i = how_many(100); i > 0; --i) expect_phrase(draw_piece());
    for (int i = how_many(100) / 2; i > 0; --i) expect_phrase(draw_splice());
    RecordProperty("queries", asked_);
}

TEST_F(Recall, IsThatOfAPlainScanForQueriesOfSeveral)
{
    ASSERT_NO_FATAL_FAILURE(load());
    if (texts_.empty()) GTEST_SKIP();
    for (int i = 0; i < 20; ++i) expect_term(draw_words(1).front().substr(0, 3), true);
    for (int i = 0; i < 60; ++i) {
        const auto draw = [&] { return random_() % 2 ? draw_letters(1 + random_() % 3) : draw_words(1).front(); };
        const std::string a = draw(), b = draw();
        const std::u32string pa = plain(a), pb = plain(b);
        const auto has = [](const std::u32string& text, const std::u32string& term) {
            return stands_in(text, term, false);
        };
        expect_same(a + " " + b, scan(pa, [&](const auto& t) { return has(t, pa) && has(t, pb); }));
        expect_same(a + " OR " + b, scan(U"", [&](const auto& t) { return has(t, pa) || has(t, pb); }));
        expect_same(a + " -" + b, scan(pa, [&](const auto& t) { return has(t, pa) && !has(t, pb); }));
        if (i % 10 == 0) expect_same("-" + a, scan(U"", [&](const auto& t) { return !has(t, pa); }));
    }
}

} // namespace
} // namespace alli::cache
