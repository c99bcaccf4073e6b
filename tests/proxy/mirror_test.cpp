// SPDX-License-Identifier: Apache-2.0
#include "tests/proxy/fixture.hpp"
#include "tests/proxy/make_token.hpp"

namespace alli::proxy {
namespace {

using nlohmann::json;

class Mirror : public ProxyTest {};

TEST_F(Mirror, TellsItsStatus)
{
    start();
    const auto reply = get("/mirror/v1/status");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, R"({"version":"test"})");
    EXPECT_EQ(reply.header("Content-Type"), "application/json");
}

TEST_F(Mirror, LooksUpstreamWhenAskedAndTakesAPersonsWordOnDeletions)
{
    Options options;
    options.tokens = {make_token("admin", Scope::admin)};
    start(options);
    const ::support::Headers json_body{{"Content-Type", "application/json"}};
    const auto send = [this](std::string_view method, std::string_view target, ::support::Headers more = {},
                             std::string_view body = {}) {
        more.emplace_back("API-KEY", "admin");
        return ::support::http(port_, method, target, more, body);
    };
    EXPECT_EQ(send("POST", "/mirror/v1/sync").status, 202);
    EXPECT_EQ(upstream_.wakes, 1);
    EXPECT_EQ(upstream_.probes, 1);
    EXPECT_EQ(upstream_.accepted_deletions, 0);
    EXPECT_EQ(send("POST", "/mirror/v1/sync?acceptDeletions=true").status, 202);
    EXPECT_EQ(send("POST", "/mirror/v1/sync", json_body, R"({"acceptDeletions":true})").status, 202);
    EXPECT_EQ(upstream_.accepted_deletions, 2);
    EXPECT_EQ(send("POST", "/mirror/v1/sync", json_body, R"({"acceptDeletion":true})").status, 400);
    EXPECT_EQ(send("POST", "/mirror/v1/sync?acceptDeletions=perhaps").status, 400);
    EXPECT_EQ(send("POST", "/mirror/v1/sync", json_body, R"({"acceptDeletions":"yes"})").status, 400);
    EXPECT_EQ(send("POST", "/mirror/v1/sync", json_body, "{").status, 400);
    EXPECT_EQ(upstream_.accepted_deletions, 2);
}

TEST_F(Mirror, IsAliveForAnyoneAndReadyForThoseWithAKey)
{
    start();
    const ::support::Headers keyless{{"Host", host_}};
    const auto alive = ::support::http(port_, "GET", "/healthz", keyless);
    EXPECT_EQ(alive.status, 200);
    EXPECT_EQ(alive.body, "ok\n");
    EXPECT_EQ(::support::http(port_, "GET", "/readyz", keyless).status, 401);
    EXPECT_EQ(get("/readyz").status, 200);
}

TEST_F(Mirror, AnswersOtherPathsAndMethodsItself)
{
    start();
    EXPECT_EQ(get("/nowhere").status, 404);
    EXPECT_EQ(get("/mirror/v1/nothing").status, 404);
    EXPECT_EQ(get("/webapi").status, 404);
    const auto wrong = send("DELETE", "/mirror/v1/status");
    EXPECT_EQ(wrong.status, 405);
    EXPECT_EQ(wrong.header("Allow"), "GET, HEAD, OPTIONS");
    EXPECT_EQ(json::parse(wrong.body).at("status"), 405);
    for (const char* target : {"*", "/mirror/v1/status", "/webapi/v2/conversations", "/webapi/other"}) {
        const auto options = send("OPTIONS", target);
        EXPECT_EQ(options.status, 204) << target;
        EXPECT_NE(options.header("Allow"), "") << target;
    }
    EXPECT_TRUE(upstream_.requests.empty());
}

} // namespace
} // namespace alli::proxy
