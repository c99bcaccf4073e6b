// SPDX-License-Identifier: Apache-2.0
// Every route with every scope, allowed and refused.
#include "proxy/routes.hpp"
#include "tests/proxy/fixture.hpp"
#include "tests/proxy/make_token.hpp"
#include "tests/proxy/raw_client.hpp"

#include <set>

namespace alli::proxy {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using Reply = ::support::HttpReply;

struct Row {
    const char *method, *pattern, *scope;
};
// What is meant, apart from the table that does it.
constexpr auto meant = std::to_array<Row>({
    {"GET", "/webapi/v2/conversations", "read"},
    {"GET", "/webapi/v2/conversations/daily_count", "read"},
    {"GET", "/webapi/v2/conversations/{id}", "read"},
    {"GET", "/webapi/v2/conversations/{id}/chats", "read"},
    {"GET", "/webapi/v2/conversations/{id}/chats/{chat}", "read"},
    {"GET", "/webapi/v2/conversation_categories", "read"},
    {"GET", "/webapi/v2/conversations/{id}/running", "read"},
    {"POST", "/webapi/v2/conversations/bulk_update", "write"},
    {"PUT", "/webapi/v2/conversations/{id}", "write"},
    {"PATCH", "/webapi/v2/conversations/{id}", "write"},
    {"POST", "/webapi/v2/conversations/{id}", "write"},
    {"DELETE", "/webapi/v2/conversations/{id}", "write"},
    {"POST", "/webapi/v2/conversations/{id}/chats/{chat}/feedback", "write"},
    {"POST", "/webapi/v2/conversations/{id}/stop", "write"},
    {"PUT", "/webapi/v2/conversations/{id}/title", "write"},
    {"PATCH", "/webapi/v2/conversations/{id}/title", "write"},
    {"POST", "/webapi/v2/conversations/{id}/title", "write"},
    {"GET", "/mirror/v1/openapi.json", "metrics"},
    {"GET", "/mirror/v1/status", "read"},
    {"GET", "/mirror/v1/outbox", "read"},
    {"GET", "/mirror/v1/outbox/{id}", "read"},
    {"DELETE", "/mirror/v1/outbox/{id}", "write"},
    {"POST", "/mirror/v1/outbox/{id}/retry", "write"},
    {"POST", "/mirror/v1/sync", "write"},
    {"POST", "/mirror/v1/cluster/step-down", "admin"},
    {"POST", "/mirror/v1/maintenance", "admin"},
    {"GET", "/mirror/v1/maintenance", "admin"},
    {"GET", "/mirror/v1/search", "read"},
    {"POST", "/mirror/v1/search", "read"},
    {"POST", "/mirror/v1/highlight", "read"},
    {"GET", "/", "read"},
    {"GET", "/page/{file}", "read"},
    {"GET", "/mirror/v1/changes", "read"},
    {"GET", "/mirror/v1/export", "read"},
    {"GET", "/mirror/v1/insights", "read"},
    {"POST", "/mirror/v1/ratings", "read"},
    {"POST", "/mirror/v1/session", "read"},
    {"GET", "/mirror/v1/session", "anybody"},
    {"DELETE", "/mirror/v1/session", "read"},
    {"GET", "/mirror/v1/principal", "read"},
    {"GET", "/mirror/v1/projects", "write"},
    {"GET", "/mirror/v1/tokens", "admin"},
    {"POST", "/mirror/v1/tokens", "admin"},
    {"DELETE", "/mirror/v1/tokens/{name}", "admin"},
    {"GET", "/healthz", "anybody"},
    {"GET", "/readyz", "metrics"},
    {"GET", "/metrics", "metrics"},
});
// What is in no row: upstream's.
constexpr auto relayed = std::to_array<Row>({
    {"GET", "/webapi/v2/apps", "read"},
    {"HEAD", "/webapi/v2/apps", "read"},
    {"OPTIONS", "/webapi/v2/apps", "read"},
    {"POST", "/webapi/v2/knowledge_bases", "write"},
    {"PUT", "/webapi/v2/apps", "write"},
    {"PATCH", "/webapi/v2/apps", "write"},
    {"DELETE", "/webapi/v2/apps/a", "write"},
});

std::string target_of(std::string pattern)
{
    while (pattern.find('{') != pattern.npos)
        pattern.replace(pattern.find('{'), pattern.find('}') - pattern.find('{') + 1, "x");
    return pattern;
}

class Scopes : public ProxyTest {
  protected:
    void serve(bool require_key = true)
    {
        put("a", 100, 1);
        cover(0, 1000);
        Options options;
        options.require_key = require_key;
        options.tokens = {make_token("metrics", Scope::metrics), make_token("read", Scope::read),
                          make_token("write", Scope::write), make_token("admin", Scope::admin)};
        start(options);
    }
    Reply ask(const Row& row, const ::support::Headers& headers)
    {
        return ::support::http(port_, row.method, target_of(row.pattern), headers);
    }

    static void expect_refusal(const Row& row, const Reply& reply, const std::string& who)
    {
        EXPECT_EQ(reply.status, 403) << row.method << ' ' << row.pattern << " by " << who;
        if (std::string_view(row.method) == "HEAD") return;
        const json body = json::parse(reply.body, nullptr, false);
        const bool upstreams = std::string_view(row.pattern).starts_with("/webapi/");
        const auto said = body.value(upstreams ? "message" : "detail", "");
        EXPECT_THAT(said, HasSubstr(std::string("needs the scope ") + row.scope)) << row.pattern << reply.body;
        EXPECT_EQ(body.value("code", 0), upstreams ? 7001 : 0);
    }
    void expect_scopes(const Row& row, const ::support::Headers& headers, Scope held, const std::string& who)
    {
        const Reply reply = ask(row, headers);
        const auto needed = find_scope(row.scope);
        if (needed && held < *needed) return expect_refusal(row, reply, who);
        EXPECT_NE(reply.status, 403) << row.method << ' ' << row.pattern << " by " << who << reply.body;
        EXPECT_FALSE(needed && reply.status == 401) << row.method << ' ' << row.pattern << " by " << who;
    }
    struct Caller {
        ::support::Headers headers;
        Scope held;
        std::string name;
    };
    // What changes something comes last: reads wait for what settles after it.
    void expect_table(const std::vector<Caller>& callers)
    {
        std::vector<Row> rows(meant.begin(), meant.end());
        rows.insert(rows.end(), relayed.begin(), relayed.end());
        std::stable_partition(rows.begin(), rows.end(),
                              [](const Row& row) { return row.scope != std::string("write"); });
        for (const Row& row : rows)
            for (const Caller& caller : callers) expect_scopes(row, caller.headers, caller.held, caller.name);
    }
};

TEST_F(Scopes, NoRouteIsWithoutOne)
{
    std::set<std::string> known, there;
    for (const Row& row : meant) known.insert(std::string(row.method) + ' ' + row.pattern + ' ' + row.scope);
    for (const Route& route : routes()) {
        const auto scope = route.needed.scope();
        there.insert(std::string(route.method) + ' ' + std::string(route.pattern) + ' ' +
                     std::string(scope ? name_of(*scope) : "anybody"));
    }
    EXPECT_EQ(known, there);
}

TEST_F(Scopes, ATokenMayWhatItsScopeSaysOnEveryRouteAndNothingElse)
{
    serve();
    std::vector<Caller> callers;
    for (const std::string_view scope : scope_names)
        callers.push_back({{{"API-KEY", std::string(scope)}}, *find_scope(scope), std::string(scope)});
    callers.push_back({{{"Authorization", "Bearer the-key"}}, Scope::write, "the project's key"});
    expect_table(callers);
}

TEST_F(Scopes, WithoutAKeyNobodyIsAnAdministrator)
{
    serve(false);
    expect_table({{{}, Scope::write, "nobody"}, {{{"API-KEY", "admin"}}, Scope::write, "nobody with a token"}});
    const Reply purge = ::support::http(port_, "POST", "/mirror/v1/maintenance", {}, R"({"task":"verify"})");
    EXPECT_EQ(purge.status, 403);
    EXPECT_THAT(purge.body, HasSubstr("Unix socket"));
}

TEST_F(Scopes, AnybodyIsAliveAndNobodyElseIsLetIn)
{
    serve();
    for (const Row& row : meant) {
        const Reply reply = ask(row, {});
        const bool open = std::string_view(row.scope) == "anybody";
        if (std::string_view(row.pattern) == "/mirror/v1/session" && open)
            EXPECT_THAT(reply.body, HasSubstr("This link does not work"));
        else
            EXPECT_EQ(reply.status, open ? 200 : 401) << row.method << ' ' << row.pattern;
    }
}

TEST_F(Scopes, AcceptingIsForAnAdministrator)
{
    serve();
    for (const char* who : {"the-key", "write", "admin"})
        for (const char* word : {"acceptDeletions", "acceptKey"}) {
            const ::support::Headers key{{"API-KEY", who}, {"Content-Type", "application/json"}};
            const bool may = std::string_view(who) == "admin";
            const std::string target = std::string("/mirror/v1/sync?") + word + "=true";
            EXPECT_EQ(::support::http(port_, "POST", target, key).status, may ? 202 : 403) << who << word;
            const std::string body = std::string("{\"") + word + "\":true}";
            EXPECT_EQ(::support::http(port_, "POST", "/mirror/v1/sync", key, body).status, may ? 202 : 403);
            EXPECT_EQ(::support::http(port_, "POST", "/mirror/v1/sync", key).status, 202);
        }
    EXPECT_EQ(upstream_.accepted_deletions, 2);
    EXPECT_EQ(upstream_.accepted_keys, 2);
}

TEST_F(Scopes, AKeptAnswerIsNotForWhoMayNotRead)
{
    serve();
    const Row list{"GET", "/webapi/v2/conversations", "read"};
    for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(list, {{"API-KEY", "read"}}).status, 200);
    expect_refusal(list, ask(list, {{"API-KEY", "metrics"}}), "metrics");
}

TEST_F(Scopes, ASessionMayWhatItsOpenerMayAndWriteAtMost)
{
    serve();
    for (const auto& [who, held] : {std::pair{"read", Scope::read},
                                    {"write", Scope::write},
                                    {"admin", Scope::write},
                                    {"the-key", Scope::write}}) {
        const Reply made = ::support::http(port_, "POST", "/mirror/v1/session", {{"API-KEY", who}});
        ASSERT_EQ(made.status, 201) << made.body;
        const auto link = json::parse(made.body).at("link").get<std::string>();
        const Reply entered = ::support::http(port_, "GET", link.substr(link.find("/mirror")), {});
        const std::string cookie(entered.header("Set-Cookie"));
        const ::support::Headers page{{"Cookie", cookie.substr(0, cookie.find(';'))},
                                      {"Sec-Fetch-Site", "same-origin"}};
        const auto principal = json::parse(::support::http(port_, "GET", "/mirror/v1/principal", page).body);
        EXPECT_EQ(principal.at("scope"), name_of(held)) << who;
        EXPECT_EQ(principal.at("session"), true);
        for (const Row& row : meant) {
            const std::string_view pattern = row.pattern;
            const bool for_sessions = pattern == "/" || pattern.starts_with("/page/") ||
                                      (pattern.starts_with("/mirror/v1/") && pattern != "/mirror/v1/session") ||
                                      pattern.starts_with("/webapi/v2/conversations");
            if (for_sessions) expect_scopes(row, page, held, std::string("a session of ") + who);
        }
    }
    EXPECT_EQ(::support::http(port_, "POST", "/mirror/v1/session", {{"API-KEY", "metrics"}}).status, 403);
}

TEST_F(Scopes, OurOwnUserAtTheUnixSocketIsAnAdministrator)
{
    const std::string path = dir_ / "proxy.sock";
    Options options;
    options.listen = {"unix:" + path};
    options.require_key = false;
    start(options);
    for (const char* request :
         {"POST /mirror/v1/maintenance", "GET /mirror/v1/tokens", "POST /mirror/v1/sync?acceptKey=true"}) {
        RawClient client(path);
        client.send(std::string(request) +
                    " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        EXPECT_THAT(client.read_all(), HasSubstr(" 20")) << request;
    }
}

TEST_F(Scopes, SayWhoAsksAndWithWhichLimits)
{
    Options options;
    options.tokens = {make_token("narrow", Scope::read, {"app-1", ""})};
    options.tokens.front().expires = Instant{std::chrono::seconds(5000)};
    start(options);
    const auto who = json::parse(::support::http(port_, "GET", "/mirror/v1/principal", {{"API-KEY", "narrow"}}).body);
    EXPECT_EQ(who, json::parse(R"({"name":"the narrow","scope":"read","app":"app-1","user":null,
                                   "expires":"1970-01-01T01:23:20Z","session":false})"));
    EXPECT_EQ(json::parse(get("/mirror/v1/principal").body).at("name"), "key");
}

} // namespace
} // namespace alli::proxy
