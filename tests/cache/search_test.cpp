// SPDX-License-Identifier: Apache-2.0
#include "cache/match.hpp"
#include "cache/search.hpp"
#include "cache/snippet.hpp"
#include "tests/cache/fixture.hpp"

namespace alli::cache {
namespace {

using testing::ElementsAre;

class Search : public CacheTest {
  protected:
    SearchResult find(SearchQuery query)
    {
        return store_->read([&](Reader& db) { return search(db, query); });
    }
};

TEST_F(Search, FindsTheNewestFirstAndCounts)
{
    put("a", 100, 3), put("b", 200, 3);
    SearchQuery query;
    query.text = "chat of";
    const auto result = find(query);
    EXPECT_EQ(result.total, 6);
    EXPECT_TRUE(result.total_exact);
    ASSERT_EQ(result.hits.size(), 6U);
    EXPECT_EQ(result.hits[0].chat_id, "b/2");
    EXPECT_EQ(result.hits[5].chat_id, "a/0");
    query.limit = 2;
    EXPECT_EQ(find(query).hits.size(), 2U);
    EXPECT_EQ(find(query).total, 6);
}

TEST_F(Search, FindsTitlesAndObeysFilters)
{
    put("a", 100, 3, {{"title", "Lost luggage"}, {"user", {{"userId", "u1"}, {"firstName", "Mina"}}}});
    put("b", 200, 3);
    SearchQuery title;
    title.text = "luggage";
    const auto result = find(title);
    ASSERT_EQ(result.hits.size(), 1U);
    EXPECT_FALSE(result.hits[0].chat_id);
    EXPECT_EQ(result.hits[0].snippet, "Lost <mark>luggage</mark>");

    SearchQuery query;
    query.text = "chat";
    query.user = "u1";
    EXPECT_EQ(find(query).total, 3);
    query.sender = "bot";
    EXPECT_EQ(find(query).total, 1);
    query.sender.reset();
    query.after = support::at_second(99);
    EXPECT_EQ(find(query).total, 1);
    query.before = support::at_second(100);
    EXPECT_EQ(find(query).total, 0);
}

TEST_F(Search, NeverFails)
{
    put("a", 100, 1);
    const std::string quotes(10'000, '"'), nul("a\0b", 3);
    for (const std::string& text :
         {std::string("' OR 1=1--"), std::string("\""), std::string("NEAR("), std::string("*"), std::string("-"),
          std::string("a AND"), std::string("text:"), std::string(""), std::string("\xff\xfe"), quotes, nul}) {
        SearchQuery query;
        query.text = text;
        EXPECT_NO_THROW(find(query)) << text.substr(0, 20);
    }
}

TEST(Match, KeepsPhrasesTogether)
{
    EXPECT_THAT(terms_of("  one \"two  three\" 여행\tfour"), ElementsAre("one", "two  three", "여행", "four"));
    EXPECT_EQ(match_expression(terms_of("one \"two three\" ' '")), "\"one\" \"two three\" \"'\" \"'\"");
    EXPECT_EQ(match_expression(terms_of("\" \"")), "");
}

TEST(Snippet, EscapesAndMarks)
{
    EXPECT_EQ(make_snippet("a <b> & Word's end", {"word"}), "a &lt;b&gt; &amp; <mark>Word</mark>&#39;s end");
    const std::string text = std::string(300, '.') + "여행" + std::string(300, '.');
    const std::string snippet = make_snippet(text, {"여행"});
    EXPECT_NE(snippet.find("<mark>여행</mark>"), std::string::npos);
    EXPECT_TRUE(snippet.starts_with("…") && snippet.ends_with("…"));
}

} // namespace
} // namespace alli::cache
