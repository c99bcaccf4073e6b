// SPDX-License-Identifier: Apache-2.0
// A thousand queries that mean harm: each gets an answer, soon, in either order, and the answer is JSON.
#include "cache/rows/coverage.hpp"
#include "cache/search/search.hpp"
#include "cache/search/search_json.hpp"
#include "tests/cache/fixture.hpp"

#include <random>

namespace alli::cache {
namespace {

constexpr std::size_t how_many = 1000, longest = 100'000;

std::string repeated(std::string_view piece, std::size_t size)
{
    std::string text;
    while (text.size() < size) text += piece;
    return text;
}

// What the index, the parser, SQL or a decoder might take for something else than words.
std::vector<std::string> pieces()
{
    return {"\"",
            "'",
            "“",
            "”",
            "＂",
            "(",
            ")",
            "((((",
            "))))",
            "*",
            "**",
            "-",
            "--",
            "-\"",
            "+",
            "^",
            ":",
            "{",
            "}",
            "[",
            "]",
            "\\",
            "/",
            "%",
            "_",
            ";",
            ",",
            "!",
            "~",
            "&",
            "|",
            "<mark>",
            "\t",
            "\n",
            "\r",
            "\x7f",
            "\u3000",
            " ",
            " OR ",
            "OR",
            " AND ",
            " NOT ",
            "NEAR(",
            "NEAR/2",
            "text:",
            "chat_words:",
            "rowid:",
            "rank:",
            "user:",
            "user:\"",
            "app:",
            "category:",
            "sender:",
            "after:",
            "before:",
            "after:2026-99-99",
            "before:2026-01-01",
            "' OR 1=1--",
            "\"; DROP TABLE chat; --",
            std::string(1, '\0'),
            std::string("a\0b", 3),
            "\xff",
            "\xfe",
            "\xc0\x80",
            "\x80",
            "\xe2\x28\xa1",
            "\xf4\x90\x80\x80",
            "\xed\xa0\x80",
            "\xed\xb0\x80",
            "\xed\xa0\xbd\xed\xb8\x80",
            "\xe6\x97",
            "e\u0301",
            "\u0301",
            "\u200b",
            "\u200d",
            "\u202e",
            "\ufeff",
            "\ufdfa",
            "\U0001f600",
            "\U0001f1f0\U0001f1f7",
            "여행",
            "여",
            "ㅇㅕ",
            "日",
            "3日間",
            "ガ",
            "ｶﾞ",
            "ß",
            "İ",
            "chat",
            "of",
            "ch*",
            "a",
            "0",
            "\xef\xbf\xbf",
            "\xf0\x9f"};
}

std::vector<std::string> alone_and_repeated()
{
    std::vector<std::string> all;
    for (const std::string& piece : pieces()) {
        all.push_back(piece);
        all.push_back(repeated(piece, longest));
    }
    for (const std::string_view unit :
         {"a OR ", "OR OR ", "-a ", "\"a\" ", "a* ", "여 ", "日 OR ", "user:a ", "(a OR "})
        all.push_back(repeated(unit, longest));
    for (const std::string_view word : {"chat", "여", "日", "サーバー", "ab*"}) { // many alternatives, many times
        std::string groups;
        for (int n = 0; n < 64 * 64; ++n) groups += fmt::format("{}{}{}", word, n, n % 64 == 63 ? " " : " OR ");
        all.push_back(groups);
    }
    std::string letters; // each is a letter alone: several streams
    for (int n = 0; n < 64 * 16; ++n) {
        append_utf8(letters, static_cast<char32_t>(0x65e5 + n % 40)); // from 日 on, which is there
        letters += n % 64 == 63 ? " " : " OR ";
    }
    all.push_back(letters), all.push_back(letters); // grouped and not
    all.push_back(std::string(longest / 2, '(') + "chat" + std::string(longest / 2, ')'));
    return all;
}

std::string drawn(std::mt19937& random, const std::vector<std::string>& from)
{
    std::string text;
    const std::size_t length = 1 + random() % 40;
    for (std::size_t n = 0; n < length; ++n) text += from[random() % from.size()];
    return text;
}

class HostileSearch : public CacheTest, public testing::WithParamInterface<SearchSort> {
  protected:
    std::string ask(const SearchQuery& query)
    {
        return store_->read([&](Reader& db) { return search_json(query, search(db, query), load_covered(db)); });
    }
};

TEST_P(HostileSearch, GetsAnAnswerEveryTime)
{
    put("a", 100, 20, {{"title", "여행 chat 3日間"}}), put("b", 200, 20), put("日", 300, 5);
    std::vector<std::string> queries = alone_and_repeated();
    std::mt19937 random(20'261);
    const auto from = pieces();
    while (queries.size() < how_many) queries.push_back(drawn(random, from));

    SearchQuery query;
    query.sort = GetParam(), query.context = 2;
    for (std::size_t n = 0; n < queries.size(); ++n) {
        query.text = queries[n], query.grouped = n % 2 == 0;
        SCOPED_TRACE(fmt::format("query {}: {}", n, testing::PrintToString(query.text.substr(0, 60))));
        std::string answer;
        EXPECT_NO_THROW(answer = ask(query));
        EXPECT_TRUE(nlohmann::json::accept(answer));
    }
}

INSTANTIATE_TEST_SUITE_P(Sorted, HostileSearch, testing::Values(SearchSort::newest, SearchSort::relevance));

} // namespace
} // namespace alli::cache
