// SPDX-License-Identifier: Apache-2.0
#include "tests/proxy/fixture.hpp"

namespace alli::proxy {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* list = "/webapi/v2/conversations";

std::vector<std::string> ids(const json& page)
{
    std::vector<std::string> found;
    for (const json& item : page.at("conversations")) found.push_back(item.at("id"));
    return found;
}

class Reads : public ProxyTest {
  protected:
    // Three conversations and one without a chat; the mirror holds everything.
    void fill()
    {
        put("a", 100, 2, {{"user", {{"userId", "u1"}}}});
        put("b", 200, 3, {{"user", {{"userId", "u2"}}}, {"isEnd", true}});
        put("c", 300, 1, {{"user", {{"userId", "u1"}}}, {"unknownField", {{"kept", 1.50}}}});
        put("d", 0, 0);
        cover(0, 1000);
        start();
    }

    /// From that page of a list to its end, by the cursors it is given: the ids of all.
    std::vector<std::string> walk_on(json page, const std::string& query)
    {
        std::vector<std::string> seen = ids(page);
        while (!page.at("cursor").is_null() && seen.size() < 20) {
            page = json::parse(get(query + "&cursor=" + page["cursor"].get<std::string>()).body);
            for (const std::string& id : ids(page)) seen.push_back(id);
        }
        return seen;
    }
};

TEST_F(Reads, ListTheMirrorNewestFirst)
{
    fill();
    const auto reply = get(list);
    ASSERT_EQ(reply.status, 200) << reply.body;
    const json page = json::parse(reply.body);
    EXPECT_THAT(ids(page), ElementsAre("c", "b", "a", "d"));
    EXPECT_TRUE(page.at("cursor").is_null());
    EXPECT_EQ(page["conversations"][0]["unknownField"]["kept"], 1.5);
    EXPECT_EQ(reply.header("Content-Type"), "application/json");
    EXPECT_EQ(reply.header("Cache-Status"), "alli-mirror; hit; ttl=50");
    EXPECT_EQ(reply.header("Age"), "10");
    EXPECT_TRUE(upstream_.requests.empty());
    EXPECT_EQ(upstream_.wakes, 0);
}

TEST_F(Reads, FilterAndOrderAsAsked)
{
    fill();
    const std::vector<std::pair<std::string, std::vector<std::string>>> cases{
        {"?userIds=u1", {"c", "a"}},
        {"?userIds=u1&userIds=u2", {"c", "b", "a"}},
        {"?activeOnly=true", {"c", "a", "d"}},
        {"?order=LAST_CHAT_TIME_ASC", {"a", "b", "c", "d"}},
        {"?order=CREATED_AT_ASC", {"d", "a", "b", "c"}},
        {"?order=CREATED_AT_DESC", {"c", "b", "a", "d"}},
        {"?startedAt=100", {"c", "b"}},
        {"?startedAt=99.5&endAt=200", {"a"}},
        {"?llmAppId=none", {}},
        {"?_=1&userIds=", {"c", "b", "a", "d"}},
    };
    for (const auto& [query, expected] : cases) EXPECT_EQ(ids(json::parse(get(list + query).body)), expected) << query;
    EXPECT_TRUE(upstream_.requests.empty());
}

TEST_F(Reads, PageThroughWithACursorOfOurs)
{
    fill();
    const std::string query = std::string(list) + "?pageSize=1";
    const std::vector<std::string> seen = walk_on(json::parse(get(query).body), query);
    EXPECT_THAT(seen, ElementsAre("c", "b", "a", "d"));
}

// One that was seen and one that was not are talked with between two pages: the others come once, whatever the order.
TEST_F(Reads, PageThroughRowsThatMove)
{
    fill();
    const auto talk = [&](const std::string& id, std::int64_t created, std::int64_t last) {
        put(id, last, 1, {{"createdAt", created}});
    };
    std::int64_t second = 400; // moves on: what is older than what the mirror holds would not be taken
    for (const std::string order : {"LAST_CHAT_TIME_DESC", "LAST_CHAT_TIME_ASC", "CREATED_AT_DESC", "CREATED_AT_ASC"}) {
        for (const char* id : {"e", "f", "g", "h", "i"}) talk(id, second, second), ++second;
        const std::string query = std::string(list) + "?pageSize=2&startedAt=350&order=" + order;
        const json page = json::parse(get(query).body);
        ASSERT_EQ(ids(page).size(), 2u) << order;
        talk("e", second - 5, second);
        talk("i", second - 1, second + 1);
        second += 2;
        const std::vector<std::string> seen = walk_on(page, query);
        for (const char* id : {"f", "g", "h"}) EXPECT_EQ(std::count(seen.begin(), seen.end(), id), 1) << order << id;
        if (!order.starts_with("CREATED")) continue;
        for (const char* id : {"e", "i"}) EXPECT_EQ(std::count(seen.begin(), seen.end(), id), 1) << order << id;
    }
}

TEST_F(Reads, RefuseACursorThatWasAlteredOrIsOfAnotherList)
{
    fill();
    const std::string cursor = json::parse(get(std::string(list) + "?pageSize=1").body).at("cursor");
    EXPECT_EQ(get(std::string(list) + "?pageSize=2&cursor=" + cursor).status, 200);
    EXPECT_EQ(get(std::string(list) + "?userIds=u1&cursor=" + cursor).status, 400);
    const auto altered = get(std::string(list) + "?cursor=" + cursor + "x");
    EXPECT_EQ(altered.status, 400);
    EXPECT_EQ(json::parse(altered.body).at("code"), 7003);
    EXPECT_TRUE(upstream_.requests.empty());
}

TEST_F(Reads, SendACursorThatIsNotOursUpstreamAsItIs)
{
    fill();
    const auto reply = get(std::string(list) + "?cursor=abc+/==");
    EXPECT_EQ(reply.body, R"({"from":"upstream"})");
    EXPECT_EQ(reply.header("Cache-Status"), "alli-mirror; fwd=miss");
    ASSERT_EQ(upstream_.requests.size(), 1u);
    EXPECT_EQ(upstream_.requests[0].target, std::string(list) + "?cursor=abc+/==");
}

TEST_F(Reads, RefuseBadParametersInUpstreamsShape)
{
    fill();
    for (const char* bad : {"?pageSize=0", "?pageSize=51", "?activeOnly=maybe", "?startedAt=then", "?userIds=%zz"}) {
        const auto reply = get(std::string(list) + bad);
        EXPECT_EQ(reply.status, 400) << bad;
        EXPECT_EQ(json::parse(reply.body).at("code"), 7003) << bad;
    }
    EXPECT_EQ(get("/webapi/v2/conversations/a/chats?pageNo=0").status, 400);
    EXPECT_EQ(get("/webapi/v2/conversations/%00").status, 400);
    EXPECT_TRUE(upstream_.requests.empty());
}

TEST_F(Reads, AskUpstreamForWhatTheMirrorCannotKnow)
{
    put("a", 600, 1);
    cover(500, 1000);
    start();
    EXPECT_EQ(get(std::string(list) + "?startedAt=500").header("Cache-Status"), "alli-mirror; hit; ttl=50");
    EXPECT_EQ(get(std::string(list) + "?startedAt=500&endAt=700").header("Cache-Status"), "alli-mirror; hit; ttl=50");
    for (const char* unsupported :
         {"", "?startedAt=499", "?endAt=700", "?startedAt=500&variables=v", "?startedAt=500&backgroundRunning=true"})
        EXPECT_EQ(get(std::string(list) + unsupported).header("Cache-Status"), "alli-mirror; fwd=miss") << unsupported;
    EXPECT_EQ(get("/webapi/v2/conversations/a?variables=x").header("Cache-Status"), "alli-mirror; fwd=miss");
    EXPECT_EQ(get("/webapi/v2/conversations/unknown").header("Cache-Status"), "alli-mirror; fwd=miss");
    EXPECT_EQ(get(std::string(list) + "?startedAt=500", {{"AGENT-EMAIL", "x@y"}}).header("Cache-Status"),
              "alli-mirror; fwd=bypass");
    EXPECT_EQ(get(std::string(list) + "?startedAt=500", {{"OWN-USER-ID", "x"}}).header("Cache-Status"),
              "alli-mirror; hit; ttl=50");
}

TEST_F(Reads, SayWhatIsCoveredWhenUpstreamIsAway)
{
    put("a", 600, 1);
    cover(500, 1000);
    start();
    upstream_.away = true;
    upstream_.state.reachable = false;
    const auto gone = get(list);
    EXPECT_EQ(gone.status, 504);
    EXPECT_EQ(json::parse(gone.body).at("code"), 7000);
    EXPECT_THAT(gone.body, HasSubstr("complete from 1970-01-01T00:08:20Z through 1970-01-01T00:16:40Z alone"));
    EXPECT_EQ(get("/webapi/v2/conversations/unknown").status, 504);
    EXPECT_EQ(get("/webapi/v2/conversations/a/running").status, 504);
    EXPECT_EQ(get(list, {{"AGENT-EMAIL", "x@y"}}).status, 504);
    const auto held = get("/webapi/v2/conversations/a");
    EXPECT_EQ(held.status, 200);
    EXPECT_EQ(held.header("Cache-Status"), "alli-mirror; hit; ttl=50; detail=offline");
}

TEST_F(Reads, KnowOfflineThatAnIdDoesNotExistOnceTheMirrorIsComplete)
{
    fill();
    upstream_.away = true;
    const auto gone = get("/webapi/v2/conversations/unknown");
    EXPECT_EQ(gone.status, 404);
    EXPECT_EQ(json::parse(gone.body).at("code"), 7003);
    EXPECT_EQ(get("/webapi/v2/conversations/unknown/chats").status, 404);
    EXPECT_EQ(get("/webapi/v2/conversations/a/chats/unknown").status, 404);
}

TEST_F(Reads, GiveAConversationWithItsChats)
{
    fill();
    const json whole = json::parse(get("/webapi/v2/conversations/b").body);
    EXPECT_EQ(whole.at("title"), "about b");
    ASSERT_EQ(whole.at("chats").size(), 3u);
    EXPECT_EQ(whole["chats"][0]["id"], "b/0");
    const json chats = json::parse(get("/webapi/v2/conversations/b/chats").body);
    ASSERT_EQ(chats.at("chats").size(), 3u);
    EXPECT_EQ(chats["chats"][2]["message"], "chat 2 of b");
    EXPECT_EQ(json::parse(get("/webapi/v2/conversations/b/chats?pageNo=2").body), json::parse(R"({"chats":[]})"));
    upstream_.away = true;
    EXPECT_EQ(json::parse(get("/webapi/v2/conversations/b/chats/b%2F1").body).at("message"), "chat 1 of b");
}

TEST_F(Reads, FindAnIdHoweverItIsSpelled)
{
    put("Q29u/+==", 100, 1);
    cover(0, 1000);
    start();
    for (const char* spelled : {"Q29u%2F+==", "Q29u%2f%2B%3D%3D", "%5129u%2F+%3D="})
        EXPECT_EQ(get(std::string(list) + "/" + spelled).header("Cache-Status"), "alli-mirror; hit; ttl=50") << spelled;
    upstream_.away = true;
    EXPECT_EQ(get(std::string(list) + "/Q29u%252F+==").status, 404) << "decoded once only";
}

TEST_F(Reads, AnswerHeadWithTheHeadersOfGet)
{
    fill();
    const auto whole = get(list);
    const auto head = send("HEAD", list);
    EXPECT_EQ(head.status, 200);
    EXPECT_EQ(head.body, "");
    EXPECT_EQ(head.header("Content-Length"), std::to_string(whole.body.size()));
    EXPECT_EQ(head.header("ETag"), whole.header("ETag"));
}

TEST_F(Reads, SayNotModifiedToWhoHasItAlready)
{
    fill();
    const auto first = get(list);
    const std::string tag{first.header("ETag")};
    ASSERT_FALSE(tag.empty());
    for (const std::string& known : {tag, "\"other\", W/" + tag, std::string("*")}) {
        const auto again = get(list, {{"If-None-Match", known}});
        EXPECT_EQ(again.status, 304) << known;
        EXPECT_EQ(again.body, "");
        EXPECT_EQ(again.header("ETag"), tag);
    }
    EXPECT_EQ(get(list, {{"If-None-Match", "\"other\""}, {"If-None-Match", tag}}).status, 304) << "on two lines";
    for (const char* other : {"\"other\"", "\"*\"", "\"other\", *", ""})
        EXPECT_EQ(get(list, {{"If-None-Match", other}}).status, 200) << other;
    EXPECT_EQ(get(list, {{"If-Modified-Since", "Thu, 01 Jan 2099 00:00:00 GMT"}}).status, 200) << "it has no such date";
    put("e", 400, 1);
    EXPECT_EQ(get(list, {{"If-None-Match", tag}}).status, 200) << "it changed since";
}

TEST_F(Reads, AreAnsweredWholeWhateverRangeIsAskedFor)
{
    fill();
    const auto whole = get(list);
    const auto ranged = get(list, {{"Range", "bytes=0-9"}});
    EXPECT_EQ(ranged.status, 200);
    EXPECT_EQ(ranged.body, whole.body);
}

TEST_F(Reads, SayWhenTheyWereAnswered)
{
    fill();
    const char* now = "Thu, 01 Jan 1970 00:33:20 GMT";
    EXPECT_EQ(get(list).header("Date"), now);
    EXPECT_EQ(get(list, {{"If-None-Match", "*"}}).header("Date"), now);
    EXPECT_EQ(get(std::string(list) + "?pageSize=0").header("Date"), now);
    EXPECT_EQ(get("/webapi/v2/conversations/unknown").header("Date"), now);
    clock_.seconds = 2001;
    EXPECT_EQ(get(list).header("Date"), "Thu, 01 Jan 1970 00:33:21 GMT");
}

// Its path is not documented: a setting says where it is.
TEST_F(Reads, CountDaysWhereverUpstreamHasThem)
{
    put("a", 100, 1);
    cover(0, 1000);
    Options options;
    options.operations.daily_count.path = "/webapi/v2/counts";
    start(options);
    const std::string days = "?startDate=1970-01-01&endDate=1970-01-01";
    const auto counts = get("/webapi/v2/counts" + days);
    EXPECT_EQ(counts.body, R"({"counts":[{"date":"1970-01-01","count":1}]})");
    upstream_.reply.status = 404;
    EXPECT_EQ(get("/webapi/v2/other" + days).status, 404);
}

TEST_F(Reads, WakeTheEngineWhenTheMirrorIsOldAndAnswerAllTheSame)
{
    fill();
    clock_.seconds = 1990 + 61;
    const auto old = get(list);
    EXPECT_EQ(old.status, 200);
    EXPECT_EQ(old.header("Age"), "61");
    EXPECT_EQ(upstream_.wakes, 1);
    clock_.seconds = 1000;
    const auto ahead = get(list);
    EXPECT_EQ(ahead.status, 200);
    EXPECT_EQ(ahead.header("Age"), "") << "a clock set back: nobody knows how old it is";
    EXPECT_EQ(upstream_.wakes, 2);
    EXPECT_EQ(get(list, {{"Cache-Control", "only-if-cached, max-age=5"}}).status, 504) << "no age satisfies that";
}

TEST_F(Reads, WithNoCacheAreNotSatisfiedByAComparisonFromTheFuture)
{
    fill();
    clock_.seconds = 1000;
    upstream_.state.reachable = false;
    upstream_.away = true;
    EXPECT_EQ(get(list, {{"Cache-Control", "no-cache"}}).status, 504);
}

TEST_F(Reads, KeepSilentAboutARejectedKeyOnlyWhereToldTo)
{
    fill();
    upstream_.state.key_accepted = false;
    EXPECT_EQ(get(list).status, 200);
    Options strict;
    strict.refuse_when_key_rejected = true;
    start(strict);
    for (const char* target : {list, "/webapi/v2/conversations/a", "/webapi/v2/conversations/a/chats"}) {
        const auto reply = get(target);
        EXPECT_EQ(reply.status, 403);
        EXPECT_EQ(json::parse(reply.body).at("code"), 7001);
    }
}

} // namespace
} // namespace alli::proxy
