// SPDX-License-Identifier: Apache-2.0
// What a query finds in one conversation, and so in the change feed, is what a search and a list of all find.
#include "cache/search/matching_changes.hpp"

#include "cache/deletions.hpp"
#include "cache/search/conversation_match.hpp"
#include "cache/search/matching_list.hpp"
#include "cache/search/search.hpp"
#include "tests/cache/fixture.hpp"
#include "tests/support/draws.hpp"

#include <set>

namespace alli::cache {
namespace {

using nlohmann::json;

class MatchingChangesTest : public CacheTest, protected ::support::Draws {
  protected:
    SearchQuery query_of(const std::string& text)
    {
        SearchQuery query;
        query.text = text;
        query.now = support::at_second(5000);
        return query;
    }

    json drawn_chat(const std::string& id, int n, std::int64_t second)
    {
        constexpr std::array<std::string_view, 6> words{"hotel",    "여행 준비", "refund please",
                                                        "サーバー", "ok ㅋㅋ",   "C++ api"};
        json chat = support::chat_json(id, n, second, one_of(words));
        if (n % 2 == 0) return chat;
        if (any(3) == 0) chat["rating"] = any(2) == 0;
        if (any(6) == 0) chat["agentRating"] = any(2) == 0;
        if (any(4) == 0) chat["citations"] = {{{"title", "Fees"}}};
        if (any(5) == 0) chat["suggestedAnswer"] = "Ten";
        if (any(5) == 0) chat["intermediateSteps"] = {{{"type", "LLM"}}};
        return chat;
    }

    void put_drawn(const std::string& id)
    {
        const std::int64_t last = any(10'000) + 100;
        std::vector<Chat> chats;
        TimeUnit unit = TimeUnit::seconds;
        const int count = static_cast<int>(any(6));
        for (int n = 0; n < count; ++n) chats.push_back(read_chat(drawn_chat(id, n, last - count + n).dump(), unit));
        json more{{"llmApp", {{"id", std::to_string(any(3))}, {"name", any(2) == 0 ? "Help" : "Desk"}}}};
        more["user"] = {{"userId", "u" + std::to_string(any(4))}, {"firstName", any(2) == 0 ? "Mina" : "Jun"}};
        if (any(4) != 0) more["state"] = any(2) == 0 ? "no" : "Closed";
        if (any(3) == 0) more["assignee"] = "mina@example.com";
        if (any(2) == 0) more["channel"] = any(2) == 0 ? "KAKAO" : "WEB";
        if (any(3) == 0) more["categories"] = {any(2) == 0 ? "VIP" : "Refunds"};
        const Conversation conversation = support::make_conversation(id, count > 0 ? last : 0, more);
        write([&](Writer& db) {
            put_conversation(db, conversation);
            put_chats(db, conversation.id, 0, chats);
        });
    }

    std::string drawn_query()
    {
        constexpr std::array<std::string_view, 26> parts{
            "rating:bad",    "rating:good",  "rating:none",  "agentrating:bad",   "agentrating:none",
            "state:NO",      "state:closed", "state:gone",   "channel:kakao",     "channel:web",
            "has:citations", "has:feedback", "has:steps",    "user:u1",           "user:mina",
            "app:1",         "app:help",     "category:vip", "category:other",    "sender:BOT",
            "after:5000s",   "hotel",        "-여행",        "\"refund please\"", "assignee:mina@example.com",
            "ㅋㅋ"};
        std::string text = one_of(parts);
        for (std::int64_t more = any(3); more > 0; --more) text += ' ' + one_of(parts);
        return any(8) == 0 ? "about" : text; // a word of titles
    }

    /// By what looks at all conversations: a list and a search find the same.
    std::set<std::string> found(Reader& db, SearchQuery query)
    {
        std::set<std::string> listed, ids;
        for (const ConversationId& id : list_matching(db, query, 1000).ids) listed.insert(id.value);
        query.limit = 1000;
        for (const SearchHit& hit : search(db, query).hits) ids.insert(hit.conversation_id);
        EXPECT_EQ(listed, ids) << query.text << " seed " << seed_;
        return ids;
    }
};

TEST_F(MatchingChangesTest, OneConversationIsFoundAsAmongAll)
{
    constexpr int conversations = 60, queries = 300;
    for (int n = 0; n < conversations; ++n) put_drawn("c" + std::to_string(n));
    std::size_t looked = 0, matched = 0;
    for (int n = 0; n < queries; ++n) {
        const SearchQuery query = query_of(drawn_query());
        store_->read([&](Reader& db) {
            const std::set<std::string> all = found(db, query);
            const ConversationMatch match(db, parse_query(query));
            for (const Row row : db.query("SELECT pk, id FROM conversation")) {
                const std::string id(row.text(1));
                EXPECT_EQ(match.holds(row.integer(0)), all.contains(id))
                    << id << ' ' << query.text << " seed " << seed_;
                ++looked, matched += all.contains(id) ? 1 : 0;
            }
        });
    }
    EXPECT_EQ(looked, conversations * queries);
    EXPECT_GT(matched, looked / 50);
    EXPECT_LT(matched, looked / 2);
}

// What only an index could deny that is not whole yet is told: a reader would never hear of it again.
TEST_F(MatchingChangesTest, PassNothingByWhileAnIndexIsMadeAnew)
{
    put("a", 5000, 2,
        {{"llmApp", {{"id", "A"}}}, {"user", {{"userId", "u1"}, {"firstName", "Mina"}}}, {"state", "OPEN"}});
    put("b", 6000, 2, {{"llmApp", {{"id", "B"}}}});
    const auto told = [&](const std::string& text) {
        std::set<std::string> ids;
        store_->read([&](Reader& db) {
            for (const Change& change : load_matching_changes(db, query_of(text), 0, 100).changes)
                ids.insert(change.conversation.value);
        });
        return ids;
    };
    using Ids = std::set<std::string>;
    EXPECT_EQ(told("zebra"), Ids{});
    write([](Writer& db) {
        db.run("UPDATE word_index SET bound = 9223372036854775807"); // nothing is reached yet
    });
    EXPECT_EQ(told("chat"), (Ids{"a", "b"}));
    EXPECT_EQ(told("zebra"), (Ids{"a", "b"})) << "it may be there";
    EXPECT_EQ(told("zebra app:A"), Ids{"a"}) << "no index of words says that";
    EXPECT_EQ(told("user:mina"), (Ids{"a", "b"})) << "a name is looked up there";
    EXPECT_EQ(told("user:u1"), Ids{"a"});
    EXPECT_EQ(told("sender:nobody"), Ids{});
    EXPECT_EQ(told("state:gone"), Ids{});
    write([](Writer& db) {
        db.run("UPDATE word_index SET bound = NULL");
        db.run("INSERT OR REPLACE INTO fact_bound (kind, bound) VALUES ('conversation', 9223372036854775807)");
    });
    EXPECT_EQ(told("state:gone"), (Ids{"a", "b"}));
    EXPECT_EQ(told("rating:bad"), (Ids{"a", "b"}));
    EXPECT_EQ(told("zebra"), Ids{});
}

TEST_F(MatchingChangesTest, PageByPageTheyAreThoseOfAllThatMatch)
{
    for (int n = 0; n < 40; ++n) put_drawn("c" + std::to_string(n));
    write([](Writer& db) {
        for (const char* id : {"c1", "c2", "c3"}) mark_deleted(db, {id}, Instant{});
        note_change(db, {}, ChangeKind::outbox);
        note_change(db, {"c4"}, ChangeKind::outbox);
    });
    for (int n = 0; n < 40; ++n) {
        const SearchQuery query = query_of(drawn_query());
        const int limit = static_cast<int>(any(7)) + 1;
        store_->read([&](Reader& db) {
            const std::set<std::string> all = found(db, query);
            std::vector<std::int64_t> expected, got;
            const auto changes = load_changes(db, 0, 1000);
            for (const Change& change : changes)
                if (change.kind == "deleted" || change.conversation.value.empty() ||
                    all.contains(change.conversation.value))
                    expected.push_back(change.seq);
            std::int64_t since = 0;
            for (MatchingChanges page{{}, 0, true}; page.more; since = page.through) {
                page = load_matching_changes(db, query, since, limit);
                EXPECT_LE(std::ssize(page.changes), limit);
                for (const Change& change : page.changes) got.push_back(change.seq);
            }
            EXPECT_EQ(got, expected) << query.text << " seed " << seed_;
            EXPECT_EQ(since, changes.back().seq) << "what was passed by is not to be read again";
        });
    }
}

} // namespace
} // namespace alli::cache
