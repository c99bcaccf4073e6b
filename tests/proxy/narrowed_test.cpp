// SPDX-License-Identifier: Apache-2.0
// What a token that is narrowed to an app or a user is refused, and what it gets in the place of upstream's answer.
#include "cache/deletions.hpp"
#include "cache/outbox/overlay.hpp"
#include "tests/proxy/asked_mirror.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <set>

namespace alli::proxy {
namespace {

using nlohmann::json;
using ::support::Headers;

const Part mine{"", "u0"};
const Headers as_json{{"Content-Type", "application/json"}};
const std::string root = "/webapi/v2/conversations";

class Narrowed : public testing::Test {
  protected:
    Narrowed()
    {
        mirror_.put("own", 1500, {"hello own"}, of("u0"));
        mirror_.put("other", 1600, {"hello other"}, of("u1"));
        mirror_.cover(0);
    }

    static json of(const std::string& user) { return {{"user", {{"userId", user}}}, {"llmApp", {{"id", "a0"}}}}; }

    int status(std::string_view method, const std::string& target, const std::string& body = "",
               const Headers& headers = as_json)
    {
        return mirror_.ask(mine, method, target, headers, body).status;
    }
    AskedMirror::Reply get(const std::string& target, const Headers& headers = {})
    {
        return mirror_.ask(mine, target, headers);
    }
    std::int64_t entries()
    {
        return mirror_.store().read_outbox([](cache::Reader& db) { return cache::count_entries(db).pending; });
    }
    std::int64_t queue(const Part& part, const std::string& id)
    {
        const auto reply = mirror_.ask(part, "PUT", root + '/' + id + "/title", as_json, R"({"title":"x"})");
        EXPECT_EQ(reply.status, 202) << reply.body;
        return std::stoll(std::string(reply.header("Alli-Mirror-Outbox")));
    }

    AskedMirror mirror_;
};

TEST_F(Narrowed, EveryRouteSaysWhatItIsForThem)
{
    const std::string own_entry = std::to_string(queue({}, "own")), entry = std::to_string(queue({}, "other"));
    mirror_.delivery().retried.outcome = cache::OperatorResult::done;
    struct Case {
        const char* method;
        std::string target, body;
        int expected;
    };
    const std::string title = R"({"title":"mine"})", rating = R"({"rating":true})",
                      days = "?startDate=1970-01-01&endDate=1970-01-02";
    const std::vector<Case> cases{
        {"GET", root, "", 200},
        {"GET", root + "/daily_count" + days, "", 200},
        {"GET", root + "/own", "", 200},
        {"GET", root + "/other", "", 404},
        {"GET", root + "/unknown", "", 404},
        {"HEAD", root + "/other", "", 404},
        {"GET", root + "/own/chats", "", 200},
        {"GET", root + "/other/chats", "", 404},
        {"GET", root + "/own/chats/own%2F0", "", 200},
        {"GET", root + "/other/chats/other%2F0", "", 404},
        {"GET", root + "/own/chats/other%2F0", "", 404},
        {"GET", root + "/own/running", "", 504},
        {"GET", root + "/other/running", "", 404},
        {"GET", "/webapi/v2/conversation_categories", "", 504}, // not read yet
        {"POST", root + "/bulk_update", R"({"where":{"conversationIds":["own"]},"data":{"state":"x"}})", 403},
        {"PUT", root + "/own", title, 202},
        {"PUT", root + "/other", title, 404},
        {"PATCH", root + "/other", title, 404},
        {"POST", root + "/other", title, 404},
        {"DELETE", root + "/other", "", 404},
        {"DELETE", root + "/unknown", "", 404},
        {"POST", root + "/own/chats/own%2F0/feedback", rating, 202},
        {"POST", root + "/own/chats/other%2F0/feedback", rating, 404},
        {"POST", root + "/other/chats/other%2F0/feedback", rating, 404},
        {"POST", root + "/own/stop", "", 202},
        {"POST", root + "/other/stop", "", 404},
        {"PUT", root + "/own/title", title, 202},
        {"PUT", root + "/other/title", title, 404},
        {"GET", "/webapi/v2/apps", "", 403},
        {"GET", root + "/own/variables", "", 403},
        {"POST", "/webapi/apps/a0/run", "{}", 403},
        {"OPTIONS", "/webapi/v2/apps", "", 204},
        {"GET", "/mirror/v1/status", "", 200},
        {"GET", "/mirror/v1/outbox", "", 200},
        {"GET", "/mirror/v1/outbox/" + own_entry, "", 200},
        {"GET", "/mirror/v1/outbox/" + entry, "", 404},
        {"GET", "/mirror/v1/outbox/0", "", 404},
        {"DELETE", "/mirror/v1/outbox/" + entry, "", 404},
        {"POST", "/mirror/v1/outbox/" + entry + "/retry", "", 404},
        {"POST", "/mirror/v1/sync", "", 403},
        {"POST", "/mirror/v1/cluster/step-down", "", 403},
        {"POST", "/mirror/v1/maintenance", "{}", 403},
        {"GET", "/mirror/v1/maintenance", "", 403},
        {"GET", "/mirror/v1/search?q=hello", "", 200},
        {"POST", "/mirror/v1/search", R"({"q":"hello"})", 200},
        {"GET", "/mirror/v1/export", "", 200},
        {"GET", "/mirror/v1/insights", "", 200},
        {"POST", "/mirror/v1/ratings", R"({"conversations":["own","other"]})", 200},
        {"POST", "/mirror/v1/highlight", R"({"q":"hello","texts":["hello"]})", 200},
        {"GET", "/mirror/v1/changes", "", 200},
        {"GET", "/", "", 200},
        {"GET", "/healthz", "", 200},
        {"GET", "/readyz", "", 200},
        {"GET", "/metrics", "", 403},
    };
    const std::int64_t before = entries();
    std::int64_t taken = 0;
    for (const Case& it : cases) {
        EXPECT_EQ(status(it.method, it.target, it.body), it.expected) << it.method << ' ' << it.target;
        taken += it.expected == 202;
    }
    EXPECT_EQ(entries(), before + taken) << "nothing of others was queued";
    EXPECT_TRUE(mirror_.delivery().steered.empty()) << "nor steered";
    EXPECT_TRUE(mirror_.upstream().requests.empty()) << "and nothing asked upstream";
    EXPECT_EQ(status("POST", "/mirror/v1/outbox/" + own_entry + "/retry"), 202);
    EXPECT_EQ(status("DELETE", "/mirror/v1/outbox/" + own_entry), 204);
}

// Whoever adds a route and does not say what it is for them has it refused.
TEST_F(Narrowed, NoRouteLeadsToWhatIsAnothers)
{
    const std::string entry = std::to_string(queue({}, "other"));
    for (const Route& route : routes()) {
        std::string target(route.pattern);
        const bool of_entry = target.find("/outbox/") != target.npos;
        const auto fill = [&](std::string_view name, const std::string& value) {
            if (const auto at = target.find(name); at != target.npos) target.replace(at, name.size(), value);
        };
        fill("{id}", of_entry ? entry : "other"), fill("{chat}", "other%2F0"), fill("{file}", "main.js");
        const auto reply = mirror_.ask(mine, route.method, target, as_json, "{}");
        EXPECT_EQ(reply.bytes().find("hello other"), std::string::npos) << route.method << ' ' << target;
        EXPECT_EQ(reply.bytes().find(":\"other\""), std::string::npos) << route.method << ' ' << target;
        const bool names_one = route.pattern.find("{id}") != std::string_view::npos;
        EXPECT_TRUE(!names_one || reply.status == 404) << target << reply.status;
    }
    EXPECT_TRUE(mirror_.upstream().requests.empty());
}

TEST_F(Narrowed, WhatWouldGoUpstreamIsAGatewayTimeout)
{
    const std::string list = root + "?pageSize=5";
    EXPECT_EQ(get(list).status, 200);
    for (const Headers& headers : {Headers{{"Cache-Control", "no-cache"}}, Headers{{"Pragma", "no-cache"}},
                                   Headers{{"Cache-Control", "max-age=1"}}, Headers{{"AGENT-EMAIL", "a@b.test"}},
                                   Headers{{"Cache-Control", "no-cache, only-if-cached"}}}) {
        EXPECT_EQ(get(list, headers).status, 504) << headers[0].first << headers[0].second;
        EXPECT_EQ(get(root + "/own", headers).status, 504) << headers[0].first << headers[0].second;
    }
    for (const char* more :
         {"&backgroundRunning=true", "&new=1", "&order=NEW", "&variables=v", "&categoryId=k", "&cursor=theirs"})
        EXPECT_EQ(get(list + more).status, 504) << more;
    EXPECT_EQ(get(root + "/own?variables=v").status, 504);
    EXPECT_EQ(get(root + "/own?fields=id").status, 504);
    EXPECT_EQ(get(root + "?order=LAST_CHAT_TIME_ASC").status, 200);
    mirror_.cover(1000);
    EXPECT_EQ(get(root + "?order=LAST_CHAT_TIME_ASC").status, 504) << "those without a chat are not known";
    EXPECT_TRUE(mirror_.upstream().requests.empty());
}

TEST_F(Narrowed, AnOldCopyIsAnsweredWithItsAge)
{
    mirror_.clock().seconds = 9000;
    for (const std::string& target : {root, root + "/own", root + "/own/chats"}) {
        const auto reply = get(target);
        EXPECT_EQ(reply.status, 200) << target;
        EXPECT_EQ(reply.header("Age"), "7010");
        EXPECT_EQ(reply.header("Cache-Status"), "alli-mirror; hit; ttl=-6950; detail=mirror-only");
    }
}

TEST_F(Narrowed, AConversationThatIsRunningIsReadFromTheMirror)
{
    mirror_.runs().running({"own"}, mirror_.clock().steady(), 1);
    const auto reply = get(root + "/own");
    EXPECT_EQ(reply.status, 200);
    EXPECT_NE(reply.header("Cache-Status").find("detail=mirror-only"), std::string_view::npos);
    EXPECT_TRUE(mirror_.upstream().requests.empty());
}

TEST_F(Narrowed, ABodyThatNobodyHereUnderstandsGoesNowhere)
{
    EXPECT_GE(status("POST", root + "/own/chats/own%2F0/feedback", R"({"rating":"up"})"), 400);
    EXPECT_TRUE(mirror_.upstream().requests.empty());
    EXPECT_EQ(entries(), 0);
}

TEST_F(Narrowed, CursorsOfAnotherPrincipalAreRefused)
{
    for (const char* id : {"own2", "own3"}) mirror_.put(id, 1501 + id[3], {"hello"}, of("u0"));
    mirror_.cover(0);
    for (const std::string& target :
         {root + "?pageSize=1", root + "?pageSize=1&userIds=u0", std::string("/mirror/v1/search?limit=1&q=hello")}) {
        const auto next = [&](const Part& part) {
            const json page = mirror_.ask(part, target).json();
            return page.contains("next") ? page["next"].get<std::string>() : page["cursor"].get<std::string>();
        };
        const std::string own = next(mine), whole = next({}), app = next({"a0", ""});
        EXPECT_EQ(get(target + "&cursor=" + own).status, 200) << target;
        EXPECT_EQ(get(target + "&cursor=" + whole).status, 400) << target;
        EXPECT_EQ(get(target + "&cursor=" + app).status, 400) << target;
        EXPECT_EQ(mirror_.ask({}, target + "&cursor=" + own).status, 400) << target;
    }
}

// Answers of the whole mirror are kept by their target.
TEST_F(Narrowed, NothingThatIsKeptGoesFromOneToTheOther)
{
    const auto whole = mirror_.ask({}, root);
    EXPECT_EQ(whole.json()["conversations"].size(), 2U);
    const std::string tag(whole.header("ETag"));
    const auto own = get(root, {{"If-None-Match", tag}});
    EXPECT_EQ(own.status, 200) << "not what that tag is of";
    EXPECT_EQ(own.json()["conversations"].size(), 1U);
    EXPECT_EQ(get(root, {{"If-None-Match", std::string(own.header("ETag"))}}).status, 304);
    EXPECT_EQ(mirror_.ask({}, root).json()["conversations"].size(), 2U);
    EXPECT_EQ(mirror_.ask({}, root + "/other").status, 200);
    EXPECT_EQ(get(root + "/other").status, 404);
    EXPECT_EQ(get(root + "/other", {{"If-None-Match", "*"}}).status, 404);
}

TEST_F(Narrowed, StatusIsOfTheirPart)
{
    EXPECT_EQ(get("/mirror/v1/status").body, R"({"of":"u0"})");
    EXPECT_EQ(mirror_.ask({}, "/mirror/v1/status").body, R"({"of":"the whole"})");
}

TEST_F(Narrowed, AWriteDoesNotTellInWhoseNameItIs)
{
    const Headers named{{"Content-Type", "application/json"}, {"OWN-USER-ID", "another"}, {"AGENT-EMAIL", "an@agent"}};
    ASSERT_EQ(mirror_.ask({}, "PUT", root + "/own/title", named, R"({"title":"x"})").status, 202);
    mirror_.delivery().retried = {cache::OperatorResult::done, *mirror_.store().read_outbox([](cache::Reader& db) {
                                      return cache::find_entry(db, 1);
                                  })};
    for (const auto& reply : {get("/mirror/v1/outbox/1"), mirror_.ask(mine, "POST", "/mirror/v1/outbox/1/retry")}) {
        EXPECT_EQ(reply.json()["request"]["body"]["title"], "x");
        EXPECT_EQ(reply.body.find("another"), std::string::npos) << reply.body;
        EXPECT_EQ(reply.body.find("an@agent"), std::string::npos) << reply.body;
    }
}

TEST_F(Narrowed, TheirOwnWaitingDeletionStaysTheirs)
{
    const auto reply = mirror_.ask(mine, "DELETE", root + "/own");
    ASSERT_EQ(reply.status, 202);
    const std::int64_t id = std::stoll(std::string(reply.header("Alli-Mirror-Outbox")));
    const auto entry = mirror_.store().read_outbox([&](cache::Reader& db) { return cache::find_entry(db, id); });
    mirror_.write([&](cache::Writer& db) { cache::show_edit(db, *entry); });
    EXPECT_EQ(get(root + "/own").status, 404);
    EXPECT_EQ(get("/mirror/v1/outbox/" + std::to_string(id)).status, 200);
    EXPECT_EQ(get("/mirror/v1/outbox").json()["entries"].size(), 1U);
    EXPECT_EQ(mirror_.ask({"", "u1"}, "/mirror/v1/outbox").json()["entries"].size(), 0U);
    EXPECT_EQ(status("DELETE", "/mirror/v1/outbox/" + std::to_string(id)), 204);
}

TEST_F(Narrowed, TheFeedTellsNoDeletionAndNoOtherNumber)
{
    const json before = get("/mirror/v1/changes?since=now").json();
    mirror_.put("other", 1700, {"hello", "again"}, of("u1"));
    mirror_.put("other2", 1800, {"hello"}, of("u1"));
    EXPECT_EQ(get("/mirror/v1/changes?since=now").json(), before);
    const std::string since = before["next"].dump();
    EXPECT_EQ(get("/mirror/v1/changes?since=" + since).json(), before);
    mirror_.write([](cache::Writer& db) { cache::mark_deleted(db, {"other"}, support::at_second(1900)); });
    mirror_.write([](cache::Writer& db) { cache::mark_deleted(db, {"own"}, support::at_second(1900)); });
    EXPECT_EQ(get("/mirror/v1/changes?since=" + since).json(), before);
    const auto stream = get("/mirror/v1/changes?since=" + since, {{"Accept", "text/event-stream"}});
    EXPECT_EQ(stream.body.find("data:"), std::string::npos) << stream.body;
    EXPECT_EQ(get("/mirror/v1/changes?since=7").status, 410);
    const auto reset = get("/mirror/v1/changes?since=7", {{"Accept", "text/event-stream"}});
    EXPECT_NE(reset.body.find("event: reset"), std::string::npos);
    EXPECT_EQ(reset.body.find("id: " + std::to_string(mirror_.feed().last())), std::string::npos) << reset.body;
}

TEST_F(Narrowed, AQueryOfTheFeedFindsOnlyTheirs)
{
    const json before = get("/mirror/v1/changes?since=now&q=hello").json();
    EXPECT_EQ(before["next"], get("/mirror/v1/changes?since=now").json()["next"]);
    const auto ids = [&](const std::string& target) {
        std::set<std::string> all;
        const json page = get(target).json();
        for (const json& change : page["changes"]) all.insert(change["conversationId"]);
        return all;
    };
    EXPECT_EQ(ids("/mirror/v1/changes?q=hello"), std::set<std::string>{"own"});
    EXPECT_EQ(ids("/mirror/v1/changes?q=own"), std::set<std::string>{"own"});
    EXPECT_EQ(ids("/mirror/v1/changes?q=other"), std::set<std::string>{});
    EXPECT_EQ(ids("/mirror/v1/changes?q=user:u1"), std::set<std::string>{});
    mirror_.put("other2", 1800, {"hello"}, of("u1"));
    mirror_.write([](cache::Writer& db) { cache::mark_deleted(db, {"other"}, support::at_second(1900)); });
    const json page = get("/mirror/v1/changes?q=other&since=0").json();
    EXPECT_EQ(page["next"], before["next"]) << "a number of another's change";
    EXPECT_EQ(page["more"], false);
    EXPECT_FALSE(get("/mirror/v1/changes?q=user:u1").json().contains("unknownFilters"));
    EXPECT_FALSE(get("/mirror/v1/changes?q=user:u7").json().contains("unknownFilters"));
    const auto stream = get("/mirror/v1/changes?q=other&since=0", {{"Accept", "text/event-stream"}});
    EXPECT_EQ(stream.body.find("data:"), std::string::npos) << stream.body;
}

TEST_F(Narrowed, WhatLeavesTheViewWhileARequestWaitsIsNotShown)
{
    const auto end = mirror_.runs().ended({"own"}, mirror_.clock().steady(), mirror_.clock().now());
    const auto moves = [&]() -> Task<> {
        for (int turn = 0; turn < 10; ++turn) co_await asio::post(mirror_.io(), asio::use_awaitable); // it waits by now
        auto job = [](cache::Writer& db) {
            cache::put_conversation(db, support::make_conversation("own", 1500, of("u1")));
        };
        Task<> moving = mirror_.store().write(std::move(job));
        co_await std::move(moving);
        mirror_.runs().fetched({"own"}, end.fence, true, mirror_.clock().steady());
    };
    mirror_.io().restart();
    asio::co_spawn(mirror_.io(), moves(), asio::detached);
    const auto reply = get(root + "/own");
    EXPECT_EQ(reply.status, 404) << reply.body;
    EXPECT_EQ(reply.body.find("own"), std::string::npos) << reply.body;
}

// A long poll goes on waiting over changes that are another's.
TEST_F(Narrowed, AWaitingReaderHearsOfItsOwnAlone)
{
    mirror_.store().watch([this] { mirror_.feed().committed(); });
    const std::string since = get("/mirror/v1/changes?since=now").json()["next"].dump();
    const auto change = [this](const char* id, const char* title) {
        auto job = [id, title](cache::Writer& db) {
            json more = of(id == std::string("own") ? "u0" : "u1");
            more["title"] = title;
            cache::put_conversation(db, support::make_conversation(id, 1500, more));
        };
        return mirror_.store().write(std::move(job));
    };
    const auto commits = [&]() -> Task<> {
        while (mirror_.feed().readers() == 0) co_await asio::post(mirror_.io(), asio::use_awaitable);
        for (const char* title : {"one", "two", "three"}) co_await change("other", title);
        co_await change("own", "mine");
    };
    mirror_.io().restart();
    asio::co_spawn(mirror_.io(), commits(), asio::detached);
    const json page = get("/mirror/v1/changes?wait=60&since=" + since).json();
    mirror_.store().watch({});
    ASSERT_EQ(page["changes"].size(), 1U);
    EXPECT_EQ(page["changes"][0]["conversationId"], "own");
}

} // namespace
} // namespace alli::proxy
