// SPDX-License-Identifier: Apache-2.0
// What a miss brought is kept, as far as it is whole; what the mirror has is left to the engine.
#include "tests/proxy/fixture.hpp"

namespace alli::proxy {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* list = "/webapi/v2/conversations";

json conversation(const std::string& id, int chats, int count)
{
    json made{{"id", id}, {"title", "of upstream"}, {"createdAt", 1}, {"lastChatTime", 50}, {"chatCount", count}};
    made["chats"] = json::array();
    for (int n = 0; n < chats; ++n) made["chats"].push_back(support::chat_json(id, n, 50, "hello"));
    return made;
}

class Keep : public ProxyTest {
  protected:
    void fill()
    {
        put("a", 600, 2);
        cover(500, 1000);
        start();
    }
    ::support::HttpReply fetch(const std::string& target, const json& body)
    {
        upstream_.reply.body = body.dump();
        return get(target);
    }
    std::string status(const ::support::HttpReply& reply) { return std::string(reply.header("Cache-Status")); }
};

TEST_F(Keep, AWholeConversationAndServeItFromThenOn)
{
    fill();
    const std::string target = std::string(list) + "/new";
    const auto first = fetch(target, conversation("new", 3, 3));
    EXPECT_EQ(status(first), "alli-mirror; fwd=miss; stored");
    const auto second = get(target);
    EXPECT_EQ(status(second), "alli-mirror; hit; ttl=50");
    EXPECT_EQ(second.body, first.body);
    EXPECT_EQ(json::parse(get(target + "/chats").body).at("chats").size(), 3U);
    EXPECT_EQ(upstream_.requests.size(), 1U);
    EXPECT_EQ(status(get(list)), "alli-mirror; fwd=miss") << "kept is not covered";
}

TEST_F(Keep, NotAConversationOfWhichChatsAreMissing)
{
    fill();
    const std::string target = std::string(list) + "/long";
    EXPECT_EQ(status(fetch(target, conversation("long", 20, 300))), "alli-mirror; fwd=miss");
    EXPECT_EQ(status(get(target)), "alli-mirror; fwd=miss");
    EXPECT_THAT(upstream_.woken, ElementsAre("long", "long")) << "the engine fetches it whole";
}

TEST_F(Keep, OfAListWhatIsWholeAndNew)
{
    fill();
    json page{{"conversations", {conversation("x", 2, 2), conversation("y", 1, 9), conversation("a", 0, 0)}},
              {"cursor", nullptr}};
    EXPECT_EQ(status(fetch(list, page)), "alli-mirror; fwd=miss; stored");
    EXPECT_EQ(status(get(std::string(list) + "/x")), "alli-mirror; hit; ttl=50");
    EXPECT_EQ(status(get(std::string(list) + "/y")), "alli-mirror; fwd=miss");
    EXPECT_EQ(json::parse(get(std::string(list) + "/a").body).at("title"), "about a") << "the engine's is newer";
}

TEST_F(Keep, NothingForARequestThatSaysSo)
{
    fill();
    upstream_.reply.body = conversation("new", 1, 1).dump();
    const std::string target = std::string(list) + "/new";
    EXPECT_EQ(status(get(target, {{"Cache-Control", "no-store"}})), "alli-mirror; fwd=miss");
    EXPECT_EQ(status(get(target)), "alli-mirror; fwd=miss; stored");
}

TEST_F(Keep, TellTheEngineOfWhatDiffers)
{
    fill();
    const std::string target = std::string(list) + "/a";
    const std::string held = get(target).body;
    upstream_.reply.body = held;
    EXPECT_EQ(get(target, {{"Cache-Control", "no-cache"}}).body, held);
    EXPECT_THAT(upstream_.woken, IsEmpty());
    upstream_.reply.body = conversation("a", 2, 2).dump();
    EXPECT_EQ(get(target, {{"Cache-Control", "no-cache"}}).body, upstream_.reply.body);
    EXPECT_THAT(upstream_.woken, ElementsAre("a"));
    EXPECT_EQ(get(target).body, held) << "until the engine has seen it";
}

TEST_F(Keep, WhatCannotBeReadIsPassedOnAndNotKept)
{
    fill();
    for (const char* odd : {"not json", "[]", "{\"id\":\"other\",\"chats\":[],\"chatCount\":0}", "{\"id\":7}"}) {
        upstream_.reply.body = odd;
        const auto reply = get(std::string(list) + "/odd");
        EXPECT_EQ(reply.body, odd);
        EXPECT_EQ(status(reply), "alli-mirror; fwd=miss") << odd;
    }
}

// What was left of another request, say.
TEST_F(Keep, NothingOfAnAnswerThatBearsAnotherIdOrNoneOfItsMembers)
{
    fill();
    const std::string item = std::string(list) + "/a";
    json other = conversation("other", 1, 1);
    other["variables"] = {{"plan", "of another"}};
    for (const std::string& body : {other.dump(), std::string(R"({"result":[],"errors":"no"})"), std::string("{}"),
                                    std::string(R"({"variables":{"plan":"x"},"error":{"name":"BUSY"}})")}) {
        upstream_.reply.body = body;
        for (int n = 0; n < 2; ++n) {
            const auto reply = get(item + "?variables=plan");
            EXPECT_EQ(reply.body, body);
            EXPECT_EQ(status(reply), "alli-mirror; fwd=miss") << body;
        }
    }
    other["id"] = "a";
    upstream_.reply.body = other.dump();
    EXPECT_EQ(status(get(item + "?variables=plan")), "alli-mirror; fwd=miss; stored");
}

TEST_F(Keep, VariablesForAsLongAsTheyAreFreshAndLongerWithoutUpstream)
{
    fill();
    const std::string item = std::string(list) + "/a";
    const std::string bare = get(item).body;
    const std::string whole = bare.substr(0, bare.size() - 1) + R"(,"variables":{"plan":"gold","n":1.50}})";
    upstream_.reply.body = whole;
    EXPECT_EQ(status(get(item + "?variables=plan,n,none")), "alli-mirror; fwd=miss; stored");
    EXPECT_EQ(get(item + "?variables=plan,n").body, whole);
    EXPECT_EQ(get(item + "?variables=none").body, bare.substr(0, bare.size() - 1) + R"(,"variables":{}})");
    EXPECT_EQ(upstream_.requests.size(), 1U);
    EXPECT_EQ(status(get(item + "?variables=other")), "alli-mirror; fwd=miss; stored");
    clock_.seconds = 1980;
    EXPECT_EQ(status(get(item + "?variables=n")), "alli-mirror; fwd=stale; stored") << "verified in the future";
    clock_.seconds = 2061;
    EXPECT_EQ(status(get(item + "?variables=n")), "alli-mirror; fwd=stale; stored")
        << "the engine does not refresh them";
    clock_.seconds = 3000;
    upstream_.away = true;
    upstream_.state.reachable = false;
    const auto offline = get(item + "?variables=plan,n");
    EXPECT_EQ(offline.body, whole);
    EXPECT_EQ(status(offline), "alli-mirror; hit; ttl=-950; detail=offline");
    EXPECT_EQ(get(item + "?variables=never").status, 504);
}

class ListedVariables : public Keep {
  protected:
    /// A page of upstream's with the variables of each, and what the mirror has of them.
    std::string page_of(const std::vector<std::string>& ids, const std::string& variables)
    {
        std::string page = R"({"conversations":[)";
        for (const std::string& id : ids) {
            if (id != ids.front()) page += ',';
            page += bare(id).substr(0, bare(id).size() - 1) + R"(,"variables":)" + variables + "}";
        }
        return page + R"(],"cursor":null})";
    }
    std::string bare(const std::string& id) { return get(std::string(list) + "/" + id).body; }
    const std::string both = R"({"plan":"gold","n":1.50})";
};

TEST_F(ListedVariables, AreAnsweredFromTheMirrorOnceItHasThemAll)
{
    put("a", 600, 0, {{"lastChatTime", 600}});
    put("b", 700, 0, {{"lastChatTime", 700}});
    cover(500, 1000);
    start();
    const std::string window = std::string(list) + "?startedAt=500";
    upstream_.reply.body = page_of({"b", "a"}, both);
    EXPECT_EQ(status(get(window + "&variables=plan&variables=n&variables=none")), "alli-mirror; fwd=miss; stored");
    const auto held = get(window + "&variables=plan&variables=n");
    EXPECT_EQ(status(held), "alli-mirror; hit; ttl=50");
    EXPECT_EQ(held.body, page_of({"b", "a"}, both));
    EXPECT_EQ(get(window + "&variables=n").body, page_of({"b", "a"}, R"({"n":1.50})")) << "as many as are asked for";
    EXPECT_EQ(get(window + "&variables=none").body, page_of({"b", "a"}, "{}"));
    EXPECT_EQ(json::parse(get(window).body)["conversations"][0].count("variables"), 0U);
    EXPECT_EQ(upstream_.requests.size(), 1U);
    put("c", 800, 0, {{"lastChatTime", 800}});
    upstream_.reply.body = page_of({"b", "a"}, R"({"n":1.50})");
    EXPECT_EQ(status(get(window + "&variables=n")), "alli-mirror; fwd=miss; stored") << "c's are not known";
    clock_.seconds = 2061;
    EXPECT_EQ(status(get(window + "&endAt=750&variables=n")), "alli-mirror; fwd=stale; stored");
    EXPECT_EQ(status(get(window + "&endAt=750&variables=plan,n")), "alli-mirror; fwd=miss")
        << "one name, of upstream's";
}

TEST_F(ListedVariables, AreNeverAnsweredInPart)
{
    put("a", 600, 1);
    cover(500, 1000);
    start();
    upstream_.away = true;
    upstream_.state.reachable = false;
    const std::string target = std::string(list) + "?startedAt=500&variables=plan";
    EXPECT_EQ(get(target).status, 504);
    EXPECT_EQ(get(target, {{"Cache-Control", "max-stale"}}).status, 504);
    EXPECT_EQ(get(target, {{"Cache-Control", "only-if-cached"}}).status, 504);
}

class BehindOurCursor : public ListedVariables {
  protected:
    void fill_three()
    {
        for (const auto& [id, at] : {std::pair("a", 600), {"b", 700}, {"c", 800}})
            put(id, at, 0, {{"lastChatTime", at}});
        cover(500, 1000);
        start();
        window_ = std::string(list) + "?startedAt=500";
        cursor_ = json::parse(get(window_ + "&pageSize=1").body)["cursor"];
    }
    ::support::HttpReply second(const std::string& variables, const ::support::Headers& more = {})
    {
        return get(window_ + "&pageSize=2" + variables + "&cursor=" + cursor_, more);
    }
    std::string gold(const std::string& id) { return page_of({id}, R"({"plan":"gold"})"); }
    std::string window_, cursor_;
};

TEST_F(BehindOurCursor, VariablesOfAWholePageCostOneRequest)
{
    fill_three();
    upstream_.reply.body = page_of({"b", "a"}, R"({"plan":"gold"})");
    const auto page = second("&variables=plan");
    EXPECT_EQ(page.body, upstream_.reply.body);
    EXPECT_EQ(status(page), "alli-mirror; hit; ttl=50");
    ASSERT_EQ(upstream_.requests.size(), 1U);
    EXPECT_EQ(upstream_.requests[0].target, std::string(list) + "?variables=plan&pageSize=50&startedAt=599&endAt=701");
    EXPECT_EQ(second("&variables=plan").body, page.body);
    EXPECT_EQ(upstream_.requests.size(), 1U);
}

TEST_F(BehindOurCursor, VariablesAreNoOlderThanOnAFirstPage)
{
    fill_three();
    upstream_.reply.body = page_of({"b", "a"}, R"({"plan":"gold"})");
    second("&variables=plan");
    upstream_.reply.body = page_of({"b", "a"}, R"({"plan":"lead"})");
    clock_.seconds = 2059;
    EXPECT_NE(second("&variables=plan").body, upstream_.reply.body);
    clock_.seconds = 2061;
    EXPECT_EQ(second("&variables=plan").body, upstream_.reply.body);
    EXPECT_EQ(upstream_.requests.size(), 2U);
    clock_.seconds = 3000;
    upstream_.away = true;
    upstream_.state.reachable = false;
    const auto offline = second("&variables=plan");
    EXPECT_EQ(offline.body, upstream_.reply.body);
    EXPECT_EQ(status(offline), "alli-mirror; hit; ttl=-950; detail=offline");
    EXPECT_EQ(second("&variables=plan", {{"Cache-Control", "no-cache"}}).status, 504);
}

// Another request brings a younger value, and nothing that lists are told from changes.
TEST_F(BehindOurCursor, VariablesAreNotKeptInAnAnswer)
{
    fill_three();
    upstream_.reply.body = page_of({"b", "a"}, R"({"plan":"gold"})");
    const std::string before = second("&variables=plan").body;
    ASSERT_EQ(second("&variables=plan").body, before);
    upstream_.reply.body = bare("a").substr(0, bare("a").size() - 1) + R"(,"variables":{"plan":"lead"}})";
    get(std::string(list) + "/a?variables=plan", {{"Cache-Control", "no-cache"}});
    EXPECT_NE(second("&variables=plan").body, before);
}

TEST_F(BehindOurCursor, WhatAStretchDoesNotBringIsAskedForAlone)
{
    fill_three();
    upstream_.reply.body = R"({"conversations":[],"cursor":null})";
    const auto answer = [&](const std::string& id, int status, std::string body) {
        upstream_.replies[std::string(list) + "/" + id + "?variables=plan"] = {
            status, {{"Content-Type", "application/json"}}, std::move(body)};
    };
    answer("a", 200, bare("a").substr(0, bare("a").size() - 1) + R"(,"variables":{"plan":"gold"}})");
    answer("b", 404, "{}");
    const auto without = second("&variables=plan");
    EXPECT_EQ(without.status, 504) << "never without a variable: " << without.body;
    EXPECT_THAT(upstream_.woken, ElementsAre("b")) << "the engine finds out whether it is gone";
    EXPECT_EQ(status(get(std::string(list) + "/a?variables=plan")), "alli-mirror; hit; ttl=50")
        << "one that is gone does not hold up the others";
    answer("b", 200, bare("b").substr(0, bare("b").size() - 1) + R"(,"variables":{}})");
    EXPECT_EQ(second("&variables=plan").status, 200);
}

TEST_F(BehindOurCursor, ANameWithACommaCanBeReadInTwoWays)
{
    fill_three();
    EXPECT_EQ(second("&variables=a%2Cb").status, 400) << "such a list was begun upstream, not here";
    EXPECT_TRUE(upstream_.requests.empty());
}

class OneChat : public Keep {
  protected:
    const std::string target = std::string(list) + "/a/chats/a%2F0";
    json detail()
    {
        json chat = support::chat_json("a", 0, 599, "chat 0 of a");
        chat["intermediateSteps"] = {{{"type", "LLM"}}};
        return chat;
    }
};

TEST_F(OneChat, IsAskedOfUpstreamOnceAndKept)
{
    fill();
    EXPECT_EQ(status(fetch(target, detail())), "alli-mirror; fwd=stale; stored");
    const auto kept = get(target);
    EXPECT_EQ(status(kept), "alli-mirror; hit; ttl=50");
    EXPECT_EQ(json::parse(kept.body), detail());
    EXPECT_EQ(upstream_.requests.size(), 1U);
    EXPECT_FALSE(json::parse(get(std::string(list) + "/a/chats").body)["chats"][0].contains("intermediateSteps"));
}

TEST_F(OneChat, IsNotKeptWhileItGrows)
{
    fill();
    json growing = detail();
    growing["completed"] = false;
    EXPECT_EQ(status(fetch(target, growing)), "alli-mirror; fwd=stale");
    EXPECT_EQ(json::parse(fetch(target, detail()).body), detail());
    EXPECT_EQ(upstream_.requests.size(), 2U);
}

TEST_F(OneChat, IsThePagesVersionWhileUpstreamIsAway)
{
    fill();
    upstream_.away = true;
    upstream_.state.reachable = false;
    const auto reply = get(target);
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(json::parse(reply.body).at("message"), "chat 0 of a");
    upstream_.away = false;
    EXPECT_EQ(status(fetch(target, detail())), "alli-mirror; fwd=stale; stored") << "asked as soon as it is back";
}

TEST_F(OneChat, IsAskedForAgainWhenThePagesVersionChanged)
{
    fill();
    fetch(target, detail());
    const Chat rated = support::make_chat("a", 0, 599, "another text");
    write([&](cache::Writer& db) { cache::put_chats(db, {"a"}, 0, std::vector<Chat>{rated}); });
    EXPECT_EQ(status(get(target)), "alli-mirror; fwd=stale; stored");
    EXPECT_EQ(upstream_.requests.size(), 2U);
}

TEST_F(OneChat, ThatTellsNoMoreIsKnownToTellNoMore)
{
    fill();
    fetch(target, support::chat_json("a", 0, 599, "chat 0 of a"));
    EXPECT_EQ(status(get(target)), "alli-mirror; hit; ttl=50");
    EXPECT_EQ(upstream_.requests.size(), 1U);
}

} // namespace
} // namespace alli::proxy
