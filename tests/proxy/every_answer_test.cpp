// SPDX-License-Identifier: Apache-2.0
// What every answer promises, whichever route gives it: an id of the request, where it came from, and of a path that
// leads nowhere where to go instead.
#include "proxy/request/request_id.hpp"
#include "proxy/routes.hpp"
#include "tests/proxy/fixture.hpp"

#include <set>

namespace alli::proxy {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::StartsWith;

class EveryAnswer : public ProxyTest {
  protected:
    void SetUp() override
    {
        put("a", 1000, 2);
        cover(0, 1990);
        start();
    }

    static std::string target_of(const Route& route)
    {
        std::string target(route.pattern);
        for (const auto& [name, value] : {std::pair("{id}", "a"), {"{chat}", "a%2F0"}, {"{file}", "main.js"}})
            if (const auto at = target.find(name); at != target.npos)
                target.replace(at, std::string_view(name).size(), value);
        if (route.operation == OperationId::count_daily) target += "?startDate=1970-01-01&endDate=1970-01-03";
        return target;
    }
    ::support::HttpReply ask(const Route& route, const ::support::Headers& more = {})
    {
        ::support::Headers headers = more;
        headers.emplace_back("Content-Type", "application/json");
        return send(route.method, target_of(route), headers, route.method == "GET" ? "" : "{}");
    }
    std::string hint_of(std::string_view target)
    {
        const auto reply = get(target);
        EXPECT_EQ(reply.status, 404) << target;
        return json::parse(reply.body).value("hint", "");
    }
};

TEST_F(EveryAnswer, BearsTheIdOfItsRequest)
{
    for (const Route& route : routes()) {
        const auto named = ask(route, {{"X-Request-Id", "mine-1"}});
        EXPECT_EQ(named.header("X-Request-Id"), "mine-1") << route.method << ' ' << route.pattern << named.status;
        EXPECT_TRUE(is_request_id(ask(route).header("X-Request-Id"))) << route.method << ' ' << route.pattern;
    }
}

TEST_F(EveryAnswer, BearsItAlsoWhereTheRequestIsRefused)
{
    std::set<std::string> seen;
    const auto expect_id = [&](int status, const ::support::HttpReply& reply) {
        EXPECT_EQ(reply.status, status);
        const std::string id(reply.header("X-Request-Id"));
        EXPECT_TRUE(is_request_id(id)) << status << id;
        EXPECT_TRUE(seen.insert(id).second) << id << " was given before";
    };
    expect_id(404, get("/nowhere"));
    expect_id(405, send("DELETE", "/mirror/v1/status"));
    expect_id(400, get("/mirror/v1/status?zebra=1"));
    expect_id(400, get("/webapi/v2/conversations?pageSize=many"));
    expect_id(401, ::support::http(port_, "GET", "/mirror/v1/status", {{"Host", host_}, {"API-KEY", "wrong"}}));
    expect_id(403, get("/mirror/v1/status", {{"Origin", "https://elsewhere.example"}}));
    expect_id(204, send("OPTIONS", "/mirror/v1/status"));
    upstream_.away = true;
    expect_id(503, send("POST", "/webapi/apps/x/run", {}, "{}"));
}

TEST_F(EveryAnswer, ThatIsA401SaysWhoseItIs)
{
    const ::support::Headers stranger{{"Host", host_}, {"API-KEY", "wrong"}};
    for (const char* target : {"/mirror/v1/status", "/webapi/v2/conversations", "/webapi/apps", "/"})
        EXPECT_THAT(std::string(::support::http(port_, "GET", target, stranger).header("WWW-Authenticate")),
                    StartsWith("Bearer realm=\"alli-mirror\""))
            << target;
    upstream_.reply.status = 401;
    const auto reply = get("/webapi/apps");
    EXPECT_EQ(reply.status, 401);
    EXPECT_EQ(reply.header("WWW-Authenticate"), "") << "upstream's";
}

TEST_F(EveryAnswer, ToAReadSaysWhereItCameFrom)
{
    for (const char* held :
         {"/webapi/v2/conversations", "/webapi/v2/conversations/a", "/webapi/v2/conversations/a/chats"}) {
        const auto reply = get(held);
        EXPECT_EQ(reply.status, 200) << held;
        EXPECT_THAT(std::string(reply.header("Cache-Status")), StartsWith("alli-mirror; hit")) << held;
        EXPECT_EQ(reply.header("Age"), "10") << held;
    }
    for (const Route& route : routes()) {
        if (route.error_format != ErrorFormat::contract_read) continue;
        const auto reply = ask(route);
        EXPECT_EQ(reply.status, 200) << route.pattern;
        EXPECT_THAT(std::string(reply.header("Cache-Status")), StartsWith("alli-mirror"))
            << route.method << ' ' << route.pattern;
    }
    EXPECT_THAT(std::string(get("/webapi/apps").header("Cache-Status")), StartsWith("alli-mirror; fwd="));
}

TEST_F(EveryAnswer, OfAPathThatLeadsNowhereSaysWhereToGo)
{
    EXPECT_THAT(hint_of("/v2/conversations"), HasSubstr("/webapi/v2/..."));
    EXPECT_THAT(hint_of("/conversations/a"), HasSubstr("/webapi/v2/conversations..."));
    EXPECT_THAT(hint_of("/apps/x/run"), HasSubstr("/webapi/apps/..."));
    EXPECT_THAT(hint_of("/mirror/v1/sttus"), HasSubstr("/mirror/v1/openapi.json"));
    EXPECT_THAT(hint_of("/zebra"), HasSubstr("below /webapi"));
}

TEST_F(EveryAnswer, OfAnIdWithASlashThatWasNotEncodedSaysSo)
{
    upstream_.reply.status = 404;
    upstream_.reply.body = R"({"errors":[{"code":7002}]})";
    for (const char* target : {"/webapi/v2/conversations/Q29u/dm8=", "/webapi/v2/conversations/Q29u/dm8=/chats",
                               "/webapi/v2/conversations/a/chats/a/0"}) {
        const auto reply = get(target);
        EXPECT_EQ(reply.status, 404) << target;
        EXPECT_EQ(reply.body, upstream_.reply.body) << "it is upstream's answer";
        EXPECT_THAT(std::string(reply.header("Alli-Mirror-Hint")), HasSubstr("%2F")) << target;
    }
    EXPECT_EQ(get("/webapi/apps/x").header("Alli-Mirror-Hint"), "") << "nothing of a conversation";
    EXPECT_EQ(get("/webapi/v2/conversations/unknown").header("Alli-Mirror-Hint"), "") << "the path is right";
    upstream_.reply.status = 200;
    EXPECT_EQ(get("/webapi/v2/conversations/a/more").header("Alli-Mirror-Hint"), "") << "upstream knows it";
}

} // namespace
} // namespace alli::proxy
