// SPDX-License-Identifier: Apache-2.0
#include "cache/chat_detail.hpp"
#include "cache/chats/facts.hpp"
#include "cache/search/index.hpp"
#include "cache/search/matching_list.hpp"
#include "cache/search/search.hpp"
#include "cache/text/facts.hpp"
#include "tests/cache/fixture.hpp"

namespace alli::cache {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class FactFilters : public CacheTest {
  protected:
    Chat chat(const std::string& conversation, int n, std::int64_t seconds, const json& more)
    {
        json made = support::chat_json(conversation, n, seconds, "chat " + std::to_string(n));
        made.update(more);
        TimeUnit unit = TimeUnit::seconds;
        return read_chat(made.dump(), unit);
    }

    /// Chats one a second up to `seconds`: a question, an answer, and so on.
    void put_rated(const std::string& id, std::int64_t seconds, const std::vector<json>& chats,
                   const json& more = json::object())
    {
        std::vector<Chat> made;
        for (int n = 0; n < static_cast<int>(chats.size()); ++n)
            made.push_back(chat(id, n, seconds - std::ssize(chats) + 1 + n, chats[static_cast<std::size_t>(n)]));
        const Conversation conversation = support::make_conversation(id, seconds, more);
        write([&](Writer& db) {
            put_conversation(db, conversation);
            put_chats(db, conversation.id, 0, made);
        });
    }

    SearchResult find(const std::string& text)
    {
        SearchQuery query;
        query.text = text;
        query.now = support::at_second(1000);
        return store_->read([&](Reader& db) { return search(db, query); });
    }

    std::vector<std::string> chats_of(const std::string& text)
    {
        std::vector<std::string> ids;
        for (const SearchHit& hit : find(text).hits)
            ids.push_back(hit.chat_id.value_or("title of " + hit.conversation_id));
        return ids;
    }
};

const json question = json::object(), answer = json::object();
const json good{{"rating", true}}, bad{{"rating", false}};

TEST_F(FactFilters, FindsChatsByTheirRatings)
{
    put_rated("a", 100, {question, good, question, bad});
    put_rated("b", 200, {question, {{"agentRating", false}}, question, {{"rating", "no truth"}}});
    EXPECT_THAT(chats_of("rating:bad"), ElementsAre("a/3"));
    EXPECT_THAT(chats_of("rating:GOOD chat"), ElementsAre("a/1"));
    EXPECT_THAT(chats_of("rating:good rating:bad"), ElementsAre("a/3", "a/1"));
    EXPECT_THAT(chats_of("rating:none"), ElementsAre("b/3", "b/1")); // questions are not rated
    EXPECT_THAT(chats_of("rating:none rating:bad"), ElementsAre("b/3", "b/1", "a/3"));
    EXPECT_THAT(chats_of("agentrating:bad"), ElementsAre("b/1"));
    EXPECT_THAT(chats_of("agentrating:bad rating:bad"), IsEmpty());
    const auto hits = find("rating:bad").hits;
    EXPECT_EQ(hits.at(0).rating, false);
    EXPECT_EQ(hits.at(0).agent_rating, std::nullopt);
}

TEST_F(FactFilters, FollowsARatingThatChanges)
{
    put_rated("a", 100, {question, answer});
    EXPECT_THAT(chats_of("rating:bad"), IsEmpty());
    const auto rate = [&](const json& more) {
        const Chat rated = chat("a", 1, 100, more);
        write([&](Writer& db) { put_chats(db, {"a"}, 1, {&rated, 1}); });
    };
    rate(bad);
    EXPECT_THAT(chats_of("rating:bad"), ElementsAre("a/1"));
    rate(good);
    EXPECT_THAT(chats_of("rating:bad"), IsEmpty());
    rate(answer);
    EXPECT_THAT(chats_of("rating:good"), IsEmpty());
    rate(bad);
    write([&](Writer& db) { erase_conversation(db, {"a"}); });
    EXPECT_EQ(find("rating:bad").total, 0);
    EXPECT_EQ(store_->read([](Reader& db) { return db.require<int>("SELECT count(*) FROM chat_row"); }), 0);
    EXPECT_EQ(store_->read([](Reader& db) { return db.require<int>("SELECT count(*) FROM conversation_fact"); }), 0);
}

TEST_F(FactFilters, FindsWhatAChatHas)
{
    put_rated("a", 100,
              {question,
               {{"citations", {{{"title", "Fees"}}}}, {"suggestedAnswer", "Ten"}},
               question,
               {{"citations", json::array()}, {"feedbackSelection", ""}, {"intermediateSteps", {{{"type", "LLM"}}}}}});
    EXPECT_THAT(chats_of("has:citations"), ElementsAre("a/1"));
    EXPECT_THAT(chats_of("has:feedback"), ElementsAre("a/1"));
    EXPECT_THAT(chats_of("has:steps"), ElementsAre("a/3"));
    EXPECT_THAT(chats_of("has:feedback has:citations"), ElementsAre("a/1"));
    EXPECT_THAT(chats_of("has:feedback has:steps"), IsEmpty()); // all of them
}

TEST_F(FactFilters, FindsStepsThatOnlyTheChatAloneTells)
{
    put_rated("a", 100, {question, answer});
    const auto found = store_->read([](Reader& db) { return find_chat(db, {"a"}, {"a/1"}); });
    const std::string raw = R"({"id":"a/1","sender":"BOT","message":"chat 1","intermediateSteps":[{"type":"LLM"}]})";
    write([&](Writer& db) { put_chat_detail(db, {"a"}, {"a/1"}, found->of, raw); });
    EXPECT_THAT(chats_of("has:steps"), ElementsAre("a/1"));
}

TEST_F(FactFilters, FindsConversationsByStateAssigneeAndChannel)
{
    put_rated("a", 100, {question, bad}, {{"state", "no"}, {"assignee", "Mina@Example.com"}, {"channel", "KAKAO"}});
    put_rated("b", 200, {question, bad}, {{"state", "closed"}, {"assignee", {{"email", "jun@example.com"}}}});
    EXPECT_THAT(chats_of("state:CLOSED rating:bad"), ElementsAre("b/1"));
    EXPECT_THAT(chats_of("assignee:mina@example.com rating:bad"), ElementsAre("a/1"));
    EXPECT_THAT(chats_of("assignee:jun@example.com rating:bad"), ElementsAre("b/1"));
    EXPECT_THAT(chats_of("channel:kakao rating:bad"), ElementsAre("a/1"));
    EXPECT_THAT(chats_of("state:no about"), ElementsAre("title of a"));
    EXPECT_THAT(chats_of("about rating:bad"), IsEmpty()); // a title is not rated
    put_rated("a", 100, {question, bad}, {{"state", "closed"}});
    EXPECT_THAT(chats_of("state:closed rating:bad"), ElementsAre("b/1", "a/1"));
}

TEST_F(FactFilters, SaysWhatIsNoFilterAndWhatWouldBe)
{
    put_rated("a", 100, {question, bad}, {{"state", "no"}, {"llmApp", {{"id", "7"}, {"name", "Help"}}}});
    const auto only = [&](const std::string& text) {
        const auto unknown = find(text).unknown_filters;
        return unknown.size() == 1 ? unknown[0] : UnknownFilter{"none, or several", text, {}, false};
    };
    using Values = std::vector<std::string>;
    EXPECT_EQ(only("rating:meh"), (UnknownFilter{"rating", "meh", {"good", "bad", "none"}, true}));
    EXPECT_EQ(only("has:rating").valid, (Values{"feedback", "citations", "steps"}));
    EXPECT_EQ(only("after:lunch").name, "after");
    EXPECT_EQ(only("sender:alien"), (UnknownFilter{"sender", "alien", {"USER", "BOT", "AGENT"}}));
    EXPECT_EQ(only("state:open"), (UnknownFilter{"state", "open", {"no"}}));
    EXPECT_EQ(only("app:Halp").valid, Values{"Help"});
    EXPECT_EQ(only("user:nobody").valid, Values{});
    for (const char* text :
         {"state:NO", "app:help", "app:7", "sender:user", "after:yesterday", "before:7d", "rating:bad"})
        EXPECT_THAT(find(text).unknown_filters, IsEmpty()) << text;
}

TEST_F(FactFilters, TellsANarrowedCallerNothingOfWhatIsOutOfView)
{
    put_rated("a", 100, {question, bad}, {{"state", "no"}, {"llmApp", {{"id", "7"}, {"name", "Help"}}}});
    put_rated("b", 200, {question, bad}, {{"state", "secret"}, {"llmApp", {{"id", "8"}, {"name", "Hidden"}}}});
    SearchQuery query;
    query.visible.app = "7";
    for (const char* text : {"app:8", "app:9", "state:secret", "state:other", "rating:bad"}) {
        query.text = text;
        const auto result = store_->read([&](Reader& db) { return search(db, query); });
        EXPECT_THAT(result.unknown_filters, IsEmpty()) << text;
        EXPECT_EQ(result.total, std::string(text) == "rating:bad" ? 1 : 0) << text;
    }
}

TEST_F(FactFilters, UnderstandsRelativeDays)
{
    put_rated("a", 1000, {question, answer});
    EXPECT_EQ(find("after:today").total, 2);
    EXPECT_EQ(find("after:1d chat").total, 2);
    EXPECT_EQ(find("before:today chat").total, 0);
    EXPECT_EQ(find("after:1h chat").total, 2);
    EXPECT_EQ(find("after:0h chat").total, 0);
}

TEST_F(FactFilters, CountsTheConversationsOfAGroupedSearch)
{
    put_rated("a", 100, {question, bad, question, bad});
    put_rated("b", 200, {question, bad});
    put_rated("c", 300, {question, good});
    SearchQuery query;
    query.text = "rating:bad";
    query.grouped = true;
    query.limit = 1;
    const auto first = store_->read([&](Reader& db) { return search(db, query); });
    EXPECT_EQ(first.total, 3);
    EXPECT_EQ(first.conversations, 2);
    EXPECT_EQ(first.hits.at(0).in_conversation, 1);
    query.cursor = first.next;
    const auto second = store_->read([&](Reader& db) { return search(db, query); });
    EXPECT_EQ(second.hits.at(0).conversation_id, "a");
    EXPECT_EQ(second.hits.at(0).in_conversation, 2);
}

TEST_F(FactFilters, ListsConversationsThatFiltersLeave)
{
    put_rated("a", 300, {question, bad, question, answer}, {{"state", "no"}});
    put_rated("b", 200, {question, bad}, {{"state", "no"}});
    put("c", 0, 0, {{"state", "no"}}); // without a chat
    put_rated("d", 400, {question, good}, {{"state", "closed"}});
    const auto list = [&](const std::string& name, const std::string& value, int limit = 10, int offset = 0) {
        SearchQuery query;
        query.more.emplace_back(name, value);
        const auto found = store_->read([&](Reader& db) { return list_matching(db, query, limit, offset); });
        std::vector<std::string> ids;
        for (const ConversationId& id : found.ids) ids.push_back(id.value);
        if (found.more) ids.emplace_back("more");
        return ids;
    };
    EXPECT_THAT(list("state", "no"), ElementsAre("a", "b", "c"));
    EXPECT_THAT(list("state", "no", 1, 1), ElementsAre("b", "more"));
    EXPECT_THAT(list("rating", "bad"), ElementsAre("a", "b"));
    EXPECT_THAT(list("rating", "bad", 1), ElementsAre("a", "more"));
    EXPECT_THAT(list("state", "gone"), IsEmpty());
}

TEST_F(FactFilters, AddsTheFactsOfRowsFromBeforeTheyWereKept)
{
    for (int n = 0; n < 60; ++n)
        put_rated("c" + std::to_string(n), 100 + n * 20, {question, bad, question, answer}, {{"state", "no"}});
    write([](Writer& db) { // as the migration leaves them
        db.script("UPDATE chat_row SET facts = NULL; DELETE FROM conversation_fact;"
                  "INSERT INTO fact_bound SELECT 'chat', max(pk) + 1 FROM chat_row HAVING count(*) > 0;"
                  "INSERT INTO fact_bound SELECT 'conversation', max(pk) + 1 FROM conversation HAVING count(*) > 0");
    });
    put_rated("new", 5000, {question, bad}, {{"state", "no"}});
    EXPECT_FALSE(find("rating:bad").reach.complete);
    EXPECT_TRUE(find("chat").reach.complete); // asks for none of them
    bool more = true;
    for (int steps = 0; more && steps < 20; ++steps) write([&](Writer& db) { more = extend_index(db); });
    EXPECT_FALSE(more);
    EXPECT_TRUE(find("rating:bad").reach.complete);
    EXPECT_EQ(find("rating:bad").total, 61);
    EXPECT_EQ(find("state:no rating:none").total, 60);
}

TEST(ChatFacts, ReadsWhateverUpstreamSends)
{
    const ChatFacts odd = facts_of_chat(R"({"rating":1,"agentRating":null,"citations":"page 3","message":"안녕"})");
    EXPECT_EQ(odd.rating, std::nullopt);
    EXPECT_TRUE(odd.citations);
    EXPECT_EQ(odd.length, 2);
    for (const char* broken : {"", "null", "[]", "{", "{\"rating\":", "7", "{\"rating\":false"})
        EXPECT_EQ(facts_of_chat(broken).rating, std::nullopt) << broken;
    EXPECT_EQ(facts_of_chat("{\"message\":\"\xff\",\"rating\":false}").rating, false); // no UTF-8
    EXPECT_TRUE(answers("BOT"));
    EXPECT_TRUE(answers(""));
    EXPECT_FALSE(answers("user"));
    EXPECT_EQ(facts_of_conversation(R"({"state":3,"assignee":{"name":"Mina"},"channel":null})").assignee, "Mina");
}

} // namespace
} // namespace alli::cache
