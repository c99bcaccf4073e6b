// SPDX-License-Identifier: Apache-2.0
#include "cache/insights/insights.hpp"
#include "cache/search/conversation_match.hpp"
#include "cache/search/query_parser.hpp"
#include "cache/search/result_loader.hpp"
#include "cache/search/search.hpp"
#include "cache/text/snippet.hpp"
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

TEST_F(Search, TakesNeighboursForNoWholeWord)
{
    const auto put_text = [&](const std::string& id, const std::string& text) {
        const Conversation made = support::make_conversation(id, 100, {{"title", nullptr}});
        const std::vector<Chat> chats{support::make_chat(id, 0, 100, text)};
        write([&](Writer& db) {
            put_conversation(db, made);
            put_chats(db, made.id, 0, chats);
        });
    };
    put_text("parted", "우리 학교 교실"), put_text("whole", "우리 학교실"), put_text("lone", "학교 교");
    const auto total = [&](const std::string& text) {
        SearchQuery query;
        query.text = text;
        return find(query).total;
    };
    EXPECT_EQ(total("학교실"), 1);
    EXPECT_EQ(total("\"학교 교실\""), 1);
    EXPECT_EQ(total("\"학교 교\""), 2);
    EXPECT_EQ(total("교실"), 2);
    EXPECT_EQ(total("교"), 3);
}

TEST_F(Search, ListsEachConversationOnceByFiltersAlone)
{
    for (int n = 0; n < 7; ++n) put("c" + std::to_string(n), 100 + n * 10, 3);
    SearchQuery query;
    query.after = support::at_second(1);
    query.grouped = true;
    query.limit = 2;
    std::vector<std::string> ids;
    for (;;) {
        const SearchResult page = find(query);
        for (const SearchHit& hit : page.hits) ids.push_back(hit.conversation_id);
        if (!page.next) break;
        query.cursor = page.next;
    }
    EXPECT_THAT(ids, ElementsAre("c6", "c5", "c4", "c3", "c2", "c1", "c0"));
}

TEST_F(Search, TakesADayWhereThePersonIs)
{
    const auto at = [](std::string_view text) {
        return std::chrono::floor<std::chrono::seconds>(*from_rfc3339(text)).time_since_epoch().count();
    };
    put("early", at("2026-01-04T15:00:00Z"), 1); // midnight in Seoul: the 5th
    put("morning", at("2026-01-04T23:30:00Z"), 1);
    put("late", at("2026-01-05T14:59:59Z"), 1); // the last second of the 5th there
    put("next", at("2026-01-05T15:00:00Z"), 1);
    const auto found = [&](const std::string& text, const char* zone) {
        SearchQuery query;
        query.text = text;
        query.zone = Zone::load(zone);
        std::vector<std::string> ids;
        for (const SearchHit& hit : find(query).hits) ids.push_back(hit.conversation_id);
        return ids;
    };
    const std::string the_fifth = "after:2026-01-05 before:2026-01-06";
    EXPECT_THAT(found(the_fifth, "Asia/Seoul"), ElementsAre("late", "morning", "early"));
    EXPECT_THAT(found(the_fifth, "UTC"), ElementsAre("next", "late"));
    EXPECT_THAT(found("after:2026-01-04T15:00:00Z before:2026-01-05T14:59:59Z", "Asia/Seoul"), ElementsAre("morning"))
        << "a moment is one everywhere, and exclusive";
}

TEST_F(Search, BindsACursorToItsZone)
{
    for (int n = 0; n < 3; ++n) put("c" + std::to_string(n), 100 + n * 10, 1);
    SearchQuery query;
    query.text = "after:1970-01-01";
    query.limit = 1;
    query.cursor = find(query).next;
    ASSERT_TRUE(query.cursor);
    EXPECT_EQ(find(query).hits.size(), 1U);
    query.zone = Zone::load("Asia/Seoul");
    EXPECT_THROW(find(query), Error);
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

// With their context hits are whole messages: a page is bounded, and its cursor goes on.
TEST_F(Search, EndsAPageThatHoldsMuch)
{
    constexpr int chats = 60;
    std::vector<Chat> made;
    for (int n = 0; n < chats; ++n)
        made.push_back(support::make_chat("a", n, 1000 + n, "hotel " + std::string(50'000, 'x')));
    write([&](Writer& db) {
        put_conversation(db, support::make_conversation("a", 2000));
        put_chats(db, {"a"}, 0, made);
    });
    for (const SearchSort sort : {SearchSort::newest, SearchSort::relevance}) {
        SearchQuery query;
        query.text = "hotel", query.limit = 1000, query.context = 20, query.sort = sort;
        std::vector<std::string> ids;
        int pages = 0;
        do {
            const SearchResult page = find(query);
            std::size_t bytes = 0;
            for (const SearchHit& hit : page.hits) {
                ids.push_back(*hit.chat_id);
                for (const auto* around : {&hit.before, &hit.after})
                    for (const ContextChat& chat : *around) bytes += chat.text.size();
            }
            EXPECT_LT(bytes, largest_search_page + 41 * 51'000);
            EXPECT_EQ(page.total, chats);
            query.cursor = page.next;
            ++pages;
        } while (query.cursor && pages < chats);
        EXPECT_GT(pages, 3);
        EXPECT_EQ(std::ssize(ids), chats);
        std::sort(ids.begin(), ids.end());
        EXPECT_EQ(std::unique(ids.begin(), ids.end()), ids.end()) << "each once";
    }
}

// An id that exists out of view alone is nobody's: by it, nobody in view is hidden, and nothing tells that it exists.
TEST_F(Search, TakesForAnIdOnlyOneInView)
{
    put("a", 100, 1, {{"llmApp", {{"id", "A"}}}, {"user", {{"userId", "u7"}, {"firstName", "Mina"}}}});
    put("b", 200, 1, {{"llmApp", {{"id", "B"}}}, {"user", {{"userId", "mina"}, {"firstName", "Jun"}}}});
    SearchQuery query;
    query.text = "user:mina";
    EXPECT_EQ(find(query).hits.at(0).conversation_id, "b") << "in all it is an id";
    EXPECT_EQ(find(query).total, 1);
    query.visible.app = "A";
    ASSERT_EQ(find(query).total, 1);
    EXPECT_EQ(find(query).hits[0].conversation_id, "a");
    store_->read([&](Reader& db) {
        const ConversationMatch match(db, parse_query(query));
        for (const Row row : db.query("SELECT pk, id FROM conversation"))
            EXPECT_EQ(match.holds(row.integer(0)), row.text(1) == "a") << row.text(1);
        InsightQuery counted;
        counted.users = {"mina"};
        EXPECT_EQ(count_insights(db, counted).totals.conversations, 1);
        counted.visible.app = "A";
        EXPECT_EQ(count_insights(db, counted).totals.conversations, 1);
        counted.users = {"nobody"};
        EXPECT_EQ(count_insights(db, counted).totals.conversations, 0);
    });
}

std::vector<Phrase> phrases(std::string_view text)
{
    return parse_search_query(text).wanted();
}

TEST(Match, ReadsWordsPhrasesAndFilters)
{
    const ParsedQuery parsed =
        parse_search_query("one \"two  three\" 여행\u3000-four fi* user:\"Mina Park\" after:2026-01-31");
    ASSERT_EQ(parsed.clauses.size(), 5U);
    EXPECT_EQ(parsed.clauses[1].any[0].tokens.size(), 2U);
    EXPECT_EQ(index_expression(parsed.clauses[2].any[0]), "\"여행\"");
    EXPECT_TRUE(parsed.clauses[3].negated);
    EXPECT_EQ(index_expression(parsed.clauses[4].any[0]), "\"fi\" *");
    EXPECT_THAT(parsed.filters.users, ElementsAre("Mina Park"));
    EXPECT_EQ(parsed.filters.after, *from_rfc3339("2026-01-31") - std::chrono::microseconds(1)) << "the whole day";
    EXPECT_EQ(parse_search_query("a OR b c").clauses.size(), 2U);
    EXPECT_EQ(parse_search_query("a OR").clauses.size(), 2U);
    EXPECT_EQ(parse_search_query("OR").clauses.size(), 1U);
    EXPECT_EQ(parse_search_query("a AND b").clauses.size(), 2U);
    EXPECT_EQ(parse_search_query("user:a AND b AND -c").clauses.size(), 2U);
    EXPECT_EQ(parse_search_query("a OR b AND c").clauses.size(), 2U);
    for (const char* word : {"AND a", "a AND", "a \"AND\"", "AND AND", "a OR AND"})
        EXPECT_EQ(parse_search_query(word).wanted().size(), 2U) << word;
    EXPECT_EQ(parse_search_query("a and b").clauses.size(), 3U);
    EXPECT_EQ(parse_search_query("before:lunch").clauses[0].any[0].tokens.size(), 2U);
    EXPECT_TRUE(parse_search_query("\" - ! *").empty());
}

// The first 64, however they are parted: each is a stream of the index, or several.
TEST(Match, CountsWordsOverAllGroups)
{
    std::string groups;
    for (int n = 0; n < 64 * 64; ++n) groups += fmt::format("w{}{}", n, n % 64 == 63 ? " " : " OR ");
    EXPECT_EQ(phrases(groups).size(), 64U);
    std::string pairs;
    for (int n = 0; n < 64; ++n) pairs += fmt::format("a{} OR b{} -c{} ", n, n, n);
    const ParsedQuery parsed = parse_search_query(pairs);
    std::size_t count = 0;
    for (const Clause& clause : parsed.clauses) count += clause.any.size();
    EXPECT_EQ(count, 64U);
    EXPECT_EQ(parse_search_query("a OR b OR a OR \"a\"").clauses[0].any.size(), 2U) << "the same word counts once";
    std::string many;
    for (int n = 0; n < 100; ++n) many += "same OR ";
    EXPECT_EQ(phrases(many + "other").size(), 2U);
}

TEST(Match, KnowsEveryBlankAndWhatIsNotSeenBeforeAWord)
{
    for (const char* blank : {" ", "\t", "\u3000", "\u00a0", "\u202f", "\u2009", "\u2003", "\u200a", "\u205f", "\u2028",
                              "\u1680", "\u3164", "\xc2\x85"})
        EXPECT_EQ(parse_search_query(std::string("one") + blank + "two").clauses.size(), 2U) << blank;
    for (const char* unseen : {"\ufeff", "\u200f", "\u200e", "\u200b", "\u2066", "\u202a", "\u2060"}) {
        const ParsedQuery parsed = parse_search_query(unseen + std::string("user:mina -") + unseen + "x");
        EXPECT_THAT(parsed.filters.users, ElementsAre("mina")) << unseen;
        EXPECT_EQ(parse_search_query(std::string(unseen) + "-x").clauses.at(0).negated, true) << unseen;
    }
    EXPECT_EQ(parse_search_query("ho\u00adtel").clauses.size(), 1U) << "within a word it parts nothing";
}

TEST(Match, AsksTheIndexForPairsAndForWhatTouches)
{
    EXPECT_EQ(index_expression(phrases("일산호수")[0]), "\"일산 산호 호수\"");
    EXPECT_EQ(index_expression(phrases("3日間")[0]), "\"3 +日間\"");
    EXPECT_EQ(index_expression(phrases("3日")[0]), "\"3 +日\"");
    EXPECT_EQ(index_expression(phrases("宿泊3")[0]), "\"宿泊 泊 +3\"");
    EXPECT_EQ(index_expression(phrases("\"foo 日\"")[0]), "\"foo 日\" *");
    EXPECT_TRUE(phrases("\"나 학교\"")[0].skips_first());
    EXPECT_TRUE(phrases("\"3시 30분\"")[0].needs_check());
    EXPECT_FALSE(phrases("\"3시간 30분\"")[0].needs_check());
    EXPECT_EQ(index_expression(phrases("サーバー")[0]), "\"サー ーバ\"");
    EXPECT_EQ(index_expression(phrases("\"サーバー\"")[0]), "\"サー ーバ バー\"");
    EXPECT_EQ(index_expression(phrases("バー")[0]), "\"バー\"");
    EXPECT_EQ(index_expression(phrases("\"학교 교실\"")[0]), "\"학교 / 교실\"");
}

TEST(Snippet, EscapesAndMarks)
{
    EXPECT_EQ(make_snippet("a <b> & Word's end", phrases("word")).html,
              "a &lt;b&gt; &amp; <mark>Word</mark>&#39;s end");
    EXPECT_EQ(make_snippet("ｶﾞﾗｽ e\u0301t", phrases("ガラ ét")).html, "<mark>ｶﾞﾗ</mark>ｽ <mark>e\u0301t</mark>");
    const std::string text = "한국 " + std::string(300, '.') + "한국 여행" + std::string(300, '.');
    const std::string snippet = make_snippet(text, phrases("여행 한국")).html;
    EXPECT_NE(snippet.find("<mark>한국</mark> <mark>여행</mark>"), std::string::npos) << snippet;
    EXPECT_TRUE(snippet.starts_with("…") && snippet.ends_with("…"));
}

} // namespace
} // namespace alli::cache
