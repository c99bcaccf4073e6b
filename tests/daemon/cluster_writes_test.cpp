// SPDX-License-Identifier: Apache-2.0
// Writes at whole daemons over a real PostgreSQL: accepted at any node, delivered by the one that leads, whatever ends
// in between.
#include "tests/daemon/cluster_daemons.hpp"

#include <gmock/gmock.h>

#include <future>

namespace alli::daemon {
namespace {

using namespace std::chrono_literals;
using support::HttpReply;
using testing::HasSubstr;

class ClusterWrites : public testing::Test {
  protected:
    /// a leads, b and c follow and have all.
    void start_three()
    {
        nodes.wait_for_role(nodes.start("a"), "leader");
        for (const char* name : {"b", "c"}) nodes.start(name);
        for (const char* name : {"b", "c"}) nodes.wait_until_level(nodes[name], nodes["a"]);
        const std::string id = upstream.conversation_ids().front();
        std::string encoded;
        for (const char c : id) encoded += c == '=' ? "%3D" : c == '+' ? "%2B" : c == '/' ? "%2F" : std::string(1, c);
        target = "/webapi/v2/conversations/" + encoded;
    }
    HttpReply put(const std::string& node, const std::string& title,
                  std::vector<std::pair<std::string, std::string>> headers = {})
    {
        headers.emplace_back("API-KEY", "sandbox");
        headers.emplace_back("Content-Type", "application/json");
        return support::http(nodes[node].port, "PUT", target + "/title", headers, Json{{"title", title}}.dump());
    }
    HttpReply get_after(const std::string& node, const std::string& path, const HttpReply& answer)
    {
        return support::http(
            nodes[node].port, "GET", path,
            {{"API-KEY", "sandbox"}, {"Mirror-Position", std::string(answer.header("Mirror-Position"))}});
    }
    void kill(const std::string& node)
    {
        nodes[node].process.send(SIGKILL);
        nodes[node].process.wait();
    }
    void refuse_titles()
    {
        upstream.set_faults({{sandbox::FaultRule::Kind::server_error, "setConversationTitle", 0, -1, 0}});
    }
    /// Upstream takes them again, and nobody waits for the next try.
    void take_titles(const std::string& node, const HttpReply& accepted)
    {
        upstream.set_faults({});
        const std::string location(accepted.header("Location"));
        nodes[node].wait_for([&](const Json& now) {
            support::http(nodes[node].port, "POST", location + "/retry", {{"API-KEY", "sandbox"}});
            const bool delivered = nodes[node].get(location).body.find(R"("delivered")") != std::string::npos;
            return delivered && now["outbox"]["pending"] == 0;
        });
    }
    std::size_t taken(const std::string& title)
    {
        std::size_t times = 0;
        for (const auto& write : upstream.writes()) times += write.body.find(title) != std::string::npos ? 1 : 0;
        return times;
    }
    void wait_until_settled(const std::string& node)
    {
        nodes[node].wait_for([](const Json& now) { return now["outbox"]["pending"] == 0; });
    }

    /// For a standby: the server's processes hear of a setting one after the other.
    static void wait_until_commits_wait()
    {
        const auto ask = [](const std::string& what) {
            return cluster_tests::postgres().run_sql(
                what + " FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE 'CREATE TEMP TABLE probe%'");
        };
        for (bool waits = false; !waits;) {
            auto probe =
                std::async(std::launch::async, [] { cluster_tests::postgres().run_sql("CREATE TEMP TABLE probe ()"); });
            while (!waits && probe.wait_for(std::chrono::milliseconds(10)) != std::future_status::ready)
                waits = ask("SELECT count(*)") != "0";
            if (waits) ask("SELECT pg_cancel_backend(pid)");
            probe.get();
        }
    }

    sandbox::Sandbox upstream{small_sandbox(30)};
    std::string schema = cluster_tests::make_schema(), target;
    ClusterDaemons nodes{schema, upstream};
};

TEST_F(ClusterWrites, OneThatIsMadeAtAFollowerIsReadAtAllNodesByWhoeverSaysWhereItWas)
{
    start_three();
    for (const char* at : {"b", "c", "a"}) {
        const std::string title = fmt::format("made at {}", at);
        const HttpReply answer = put(at, title);
        EXPECT_EQ(answer.status, 200) << answer.body;
        for (const char* node : {"a", "b", "c"}) {
            const HttpReply read = get_after(node, target, answer);
            EXPECT_THAT(read.body, HasSubstr(title)) << at << " " << node;
        }
    }
    refuse_titles();
    const HttpReply waits = put("c", "it waits", {{"Prefer", "respond-async"}});
    EXPECT_EQ(waits.status, 202);
    const std::string location(waits.header("Location"));
    for (const char* node : {"a", "b", "c"}) {
        EXPECT_EQ(get_after(node, location, waits).status, 200) << node;
        EXPECT_THAT(get_after(node, target, waits).body, HasSubstr("it waits")) << node;
    }
    take_titles("b", waits);
    for (const char* node : {"a", "b", "c"}) wait_until_settled(node);
    EXPECT_EQ(nodes["b"].get("/mirror/v1/outbox").body, nodes["a"].get("/mirror/v1/outbox").body);
    EXPECT_EQ(nodes["c"].get("/mirror/v1/outbox").body, nodes["a"].get("/mirror/v1/outbox").body);
    EXPECT_EQ(nodes["c"].get(location).body, nodes["a"].get(location).body);
}

TEST_F(ClusterWrites, OneIdempotencyKeyIsOneWriteAtAllNodes)
{
    start_three();
    const HttpReply first = put("b", "once", {{"Idempotency-Key", "k"}});
    const HttpReply again = put("c", "once", {{"Idempotency-Key", "k"}});
    const HttpReply other = put("a", "another", {{"Idempotency-Key", "k"}});
    EXPECT_EQ(again.status, 200);
    EXPECT_EQ(again.body, first.body);
    EXPECT_EQ(other.status, 422);
    EXPECT_EQ(upstream.writes().size(), 1U);
}

TEST_F(ClusterWrites, ThoseThatWaitAreDeliveredInOrderWhenTheLeaderIsLost)
{
    start_three();
    refuse_titles();
    std::vector<HttpReply> accepted;
    for (int n = 0; n < 6; ++n)
        accepted.push_back(put(std::string(1, static_cast<char>('a' + n % 3)), fmt::format("{} of 6", n),
                               {{"Prefer", "respond-async"}}));
    for (const HttpReply& one : accepted) EXPECT_EQ(one.status, 202);
    kill("a");
    nodes["b"].wait_for(
        [](const Json& now) { return now["cluster"]["leader"] == "b" || now["cluster"]["leader"] == "c"; });
    take_titles("b", accepted.front());
    std::vector<std::string> seen;
    for (const auto& write : upstream.writes()) seen.push_back(Json::parse(write.body)["title"]);
    EXPECT_THAT(seen, testing::ElementsAre("0 of 6", "1 of 6", "2 of 6", "3 of 6", "4 of 6", "5 of 6"));
    nodes["c"].wait_for([&](const Json&) { return nodes["c"].get(target).body.find("5 of 6") != std::string::npos; });
}

TEST_F(ClusterWrites, OneIsDeliveredThoughTheNodeThatTookItIsLost)
{
    start_three();
    refuse_titles();
    const HttpReply accepted = put("b", "taken by b", {{"Prefer", "respond-async"}});
    EXPECT_EQ(accepted.status, 202);
    kill("b");
    take_titles("c", accepted);
    EXPECT_EQ(taken("taken by b"), 1U);
    nodes.start("b");
    nodes["b"].wait_for([&](const Json&) {
        return nodes["b"].get(std::string(accepted.header("Location"))).body ==
               nodes["c"].get(std::string(accepted.header("Location"))).body;
    });
}

TEST_F(ClusterWrites, WhileTheDatabaseIsAwayNobodyTakesOneAndThenItIsTakenOnce)
{
    nodes.settings["ALLI_MIRROR_PROXY_FORWARD_TIMEOUT"] = "1s";
    start_three();
    cluster_tests::postgres().stop();
    for (const char* node : {"a", "b", "c"}) {
        const HttpReply refused = put(node, "patience", {{"Idempotency-Key", "patience"}});
        EXPECT_EQ(refused.status, 503);
        EXPECT_EQ(refused.header("Retry-After"), "1");
        EXPECT_EQ(Json::parse(refused.body)["code"], 7000);
        EXPECT_EQ(nodes[node].get(target).status, 200);
    }
    cluster_tests::postgres().start();
    for (const char* node : {"a", "b", "c"})
        nodes[node].wait_for([&](const Json&) {
            const int status = put(node, "patience", {{"Idempotency-Key", "patience"}}).status;
            return status == 200 || status == 202;
        });
    wait_until_settled("a");
    nodes["a"].wait_for([&](const Json&) { return taken("patience") > 0; });
    EXPECT_EQ(taken("patience"), 1U);
}

TEST_F(ClusterWrites, WithoutTheStandbyThatConfirmsNoneIsAcknowledgedAndThenItIsWrittenOnce)
{
    nodes.settings["ALLI_MIRROR_PROXY_FORWARD_TIMEOUT"] = "1s";
    start_three();
    const auto set_standby = [](const char* name) {
        cluster_tests::postgres().run_sql(fmt::format("ALTER SYSTEM SET synchronous_standby_names TO '{}'", name));
        cluster_tests::postgres().run_sql("SELECT pg_reload_conf()");
    };
    set_standby("absent");
    wait_until_commits_wait();
    for (const char* node : {"b", "c"}) {
        const HttpReply refused = put(node, "confirmed", {{"Idempotency-Key", "standby"}});
        EXPECT_EQ(refused.status, 503) << refused.body;
        EXPECT_THAT(refused.body, HasSubstr("Idempotency-Key"));
    }
    EXPECT_EQ(taken("confirmed"), 0U);
    set_standby("");
    nodes["c"].wait_for([&](const Json&) {
        const int status = put("c", "confirmed", {{"Idempotency-Key", "standby"}}).status;
        return status == 200 || status == 202;
    });
    nodes["a"].wait_for([&](const Json&) { return taken("confirmed") > 0; });
    wait_until_settled("a");
    EXPECT_EQ(taken("confirmed"), 1U);
}

} // namespace
} // namespace alli::daemon
