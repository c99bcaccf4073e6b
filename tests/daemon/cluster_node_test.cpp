// SPDX-License-Identifier: Apache-2.0
// Whole daemons as nodes of a cluster, over a real PostgreSQL: who leads, what a node that follows serves, and what
// becomes of a leader that ends, steps down or freezes.
#include "tests/daemon/cluster_daemons.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/upstream/scripted_server.hpp"

#include <gmock/gmock.h>

#include <filesystem>

namespace alli::daemon {
namespace {

using namespace std::chrono_literals;
using support::HttpReply;
using testing::HasSubstr;
using testing::Not;

const std::string list = "/webapi/v2/conversations?pageSize=50";

/// As careful clients write it in a path.
std::string encode(const std::string& id)
{
    std::string text;
    for (const char c : id) text += c == '=' ? "%3D" : c == '+' ? "%2B" : c == '/' ? "%2F" : std::string(1, c);
    return text;
}

HttpReply put_title(const Daemon& node, const std::string& id, const std::string& title,
                    const std::string& prefer = "wait=10")
{
    return support::http(node.port, "PUT", "/webapi/v2/conversations/" + encode(id) + "/title",
                         {{"API-KEY", "sandbox"}, {"Content-Type", "application/json"}, {"Prefer", prefer}},
                         Json{{"title", title}}.dump());
}

HttpReply post(const Daemon& node, const std::string& target, const std::string& key = "sandbox")
{
    return support::http(node.port, "POST", target, {{"API-KEY", key}});
}

std::vector<std::string> thread_names(int pid)
{
    std::vector<std::string> names;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
        std::ifstream file(thread.path() / "comm");
        std::getline(file, names.emplace_back());
    }
    return names;
}

class ClusterNodes : public testing::Test {
  protected:
    /// a leads, b follows and has all.
    void start_two()
    {
        nodes.wait_for_role(nodes.start("a"), "leader");
        nodes.start("b");
        nodes.wait_until_level(nodes["b"], nodes["a"]);
    }

    /// From now on the database takes no conversation.
    void refuse_rows() const
    {
        run_sql("CREATE FUNCTION {0}.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'refused'; END$$;"
                " CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {0}.conversation EXECUTE FUNCTION {0}.refuse()");
    }
    void take_rows() const { run_sql("DROP FUNCTION {0}.refuse() CASCADE"); }
    void run_sql(const std::string& sql) const
    {
        cluster_tests::postgres().run_sql(fmt::format(fmt::runtime(sql), '"' + schema + '"'));
    }

    sandbox::Sandbox upstream{small_sandbox(60)};
    std::string schema = cluster_tests::make_schema();
    ClusterDaemons nodes{schema, upstream};
};

TEST_F(ClusterNodes, AFollowerServesWhatTheLeaderFetched)
{
    start_two();
    const std::size_t asked = upstream.request_count("listConversations");
    for (const std::string& id : upstream.conversation_ids())
        for (const std::string& target :
             {"/webapi/v2/conversations/" + encode(id), "/webapi/v2/conversations/" + encode(id) + "/chats"}) {
            const HttpReply there = nodes["a"].get(target), here = nodes["b"].get(target);
            EXPECT_EQ(here.body, there.body);
            EXPECT_THAT(here.header("Cache-Status"), HasSubstr("alli-mirror; hit"));
            EXPECT_THAT(here.header("Cache-Status"), Not(HasSubstr("detail=")));
        }
    EXPECT_EQ(nodes["b"].get(list).body, nodes["a"].get(list).body);
    EXPECT_EQ(nodes["b"].get(list).header("Cache-Status").substr(0, 16), "alli-mirror; hit");
    EXPECT_NE(nodes["b"].get(list).header("Age"), "");
    const Json follower = nodes["b"].status();
    EXPECT_EQ(follower["cluster"]["leader"], "a");
    EXPECT_EQ(follower["cluster"]["role"], "follower");
    EXPECT_EQ(follower["cluster"]["databaseReachable"], true);
    EXPECT_EQ(follower["upstream"]["reachable"], nullptr);
    EXPECT_EQ(follower["problems"], Json::array());
    EXPECT_EQ(nodes["b"].stop(), 0);
    EXPECT_EQ(nodes["a"].stop(), 0);
    EXPECT_GE(upstream.request_count("listConversations"), asked);
}

TEST_F(ClusterNodes, ALeaderThatIsStoppedInOrderHandsOverAtOnce)
{
    start_two();
    EXPECT_EQ(nodes["a"].stop(), 0);
    const auto stopped = std::chrono::steady_clock::now();
    nodes.wait_for_role(nodes["b"], "leader");
    EXPECT_LT(std::chrono::steady_clock::now() - stopped, 1500ms); // a lease would be two seconds
    const std::string id = upstream.conversation_ids().front();
    upstream.add_chat(id, "USER", "after the takeover");
    nodes["b"].wait_for([&](const Json&) {
        return nodes["b"].get("/webapi/v2/conversations/" + encode(id)).body.find("after the takeover") !=
               std::string::npos;
    });
}

TEST_F(ClusterNodes, AnAdministratorHasTheLeaderStepDown)
{
    start_two();
    EXPECT_EQ(post(nodes["b"], "/mirror/v1/cluster/step-down", nodes.admin("b")).status, 409);
    EXPECT_EQ(nodes["b"].get("/readyz?role=leader").status, 503);
    EXPECT_EQ(nodes["a"].get("/readyz?role=leader").status, 200);
    EXPECT_EQ(post(nodes["a"], "/mirror/v1/cluster/step-down", nodes.admin("a")).status, 202);
    nodes.wait_for_role(nodes["b"], "leader");
    nodes.wait_for_role(nodes["a"], "follower");
    EXPECT_EQ(nodes["a"].get("/readyz?role=leader").status, 503);
    EXPECT_EQ(nodes["b"].get("/readyz?role=leader").status, 200);
    EXPECT_EQ(nodes["b"].get("/readyz?role=follower").status, 400);
    EXPECT_EQ(nodes["b"].get("/readyz?rolle=leader").status, 400);
    EXPECT_EQ(nodes["b"].get("/readyz").status, 200);
}

TEST_F(ClusterNodes, ANodeThatDoesNotLeadTakesNoWriteAndNamesTheOneThatDoes)
{
    start_two();
    const std::string id = upstream.conversation_ids().front();
    const HttpReply refused = put_title(nodes["b"], id, "by a follower");
    EXPECT_EQ(refused.status, 503);
    EXPECT_EQ(refused.header("Retry-After"), "1");
    const Json said = Json::parse(refused.body);
    EXPECT_EQ(said["code"], 7000);
    EXPECT_THAT(said["message"].get<std::string>(), HasSubstr("a does"));
    EXPECT_EQ(nodes["b"].status()["outbox"]["pending"], 0);
    EXPECT_EQ(post(nodes["b"], "/mirror/v1/sync").status, 503);

    EXPECT_EQ(put_title(nodes["a"], id, "by the leader").status, 200);
    nodes["b"].wait_for([&](const Json&) {
        return nodes["b"].get("/webapi/v2/conversations/" + encode(id)).body.find("by the leader") != std::string::npos;
    });
    EXPECT_EQ(upstream.writes().size(), 1U);
}

TEST_F(ClusterNodes, AWriteThatWaitsWhereTheLeadWasIsSaidAndWaitsForAPersonWhenItIsBack)
{
    start_two();
    const std::string id = upstream.conversation_ids().front();
    upstream.set_faults({{sandbox::FaultRule::Kind::server_error, "setConversationTitle", 0, -1, 0}});
    EXPECT_EQ(put_title(nodes["a"], id, "waits", "respond-async").status, 202);
    post(nodes["a"], "/mirror/v1/cluster/step-down", nodes.admin("a"));
    nodes.wait_for_role(nodes["b"], "leader");
    const Json status = nodes.wait_for_role(nodes["a"], "follower");
    EXPECT_THAT(status["problems"].dump(), HasSubstr("1 write waits at this node, which does not lead"));
    EXPECT_EQ(status["safeToStop"], false);
    upstream.set_faults({});
    EXPECT_EQ(nodes["b"].stop(), 0);
    nodes["a"].wait_for([](const Json& now) { return now["outbox"]["conflicts"] == 1; });
    EXPECT_THAT(nodes["a"].get("/mirror/v1/outbox/1").body, HasSubstr("another machine led"));
    EXPECT_EQ(post(nodes["a"], "/mirror/v1/outbox/1/retry").status, 202);
    nodes["a"].wait_for(
        [](const Json& now) { return now["outbox"]["conflicts"] == 0 && now["outbox"]["pending"] == 0; });
    EXPECT_THAT(upstream.conversation_json(id), HasSubstr("waits"));
}

TEST_F(ClusterNodes, WhatALeaderDeliveredAndDidNotPublishIsFetchedByTheNextOne)
{
    start_two();
    const std::string id = upstream.conversation_ids().front(), target = "/webapi/v2/conversations/" + encode(id);
    const auto shows = [&](const std::string& name, const std::string& title) {
        nodes[name].wait_for(
            [&](const Json&) { return nodes[name].get(target).body.find(title) != std::string::npos; });
    };
    refuse_rows();
    EXPECT_EQ(put_title(nodes["a"], id, "delivered at last").status, 200);
    nodes["a"].wait_for(
        [](const Json& now) { return now["problems"].dump().find("cannot be published") != std::string::npos; });
    nodes["a"].process.send(SIGKILL);
    nodes["a"].process.wait();
    take_rows();
    nodes.wait_for_role(nodes["b"], "leader");
    EXPECT_THAT(nodes["b"].get(target).body, Not(HasSubstr("delivered at last")));
    nodes.start("a"); // by which it is heard of
    shows("b", "delivered at last");
    shows("a", "delivered at last");

    refuse_rows();
    EXPECT_EQ(put_title(nodes["b"], id, "delivered in order").status, 200);
    EXPECT_EQ(nodes["b"].stop(), 0);
    take_rows();
    nodes.wait_for_role(nodes["a"], "leader");
    shows("a", "delivered in order");
}

TEST_F(ClusterNodes, AfterARunAtOneNodeAnotherThatHeardOfItDoesNotAnswerWithWhatWasBefore)
{
    start_two();
    const std::string id = upstream.conversation_ids().front(), target = "/webapi/v2/conversations/" + encode(id);
    const std::string run = "/webapi/apps/" + encode(upstream.app_ids().front()) + "/run";
    for (const std::string question : {"the first question", "the second", "the third"}) {
        const Json body{{"mode", "sync"}, {"conversationId", id}, {"chat", {{"message", question}}}};
        EXPECT_EQ(support::http(nodes["b"].port, "POST", run,
                                {{"API-KEY", "sandbox"}, {"Content-Type", "application/json"}}, body.dump())
                      .status,
                  200);
        const std::string position(nodes["b"].get(target + "/running").header("Mirror-Position"));
        const HttpReply there = support::http(nodes["a"].port, "GET", target + "/chats",
                                              {{"API-KEY", "sandbox"}, {"Mirror-Position", position}});
        EXPECT_THAT(there.body, HasSubstr(question));
        EXPECT_THAT(there.header("Cache-Status"), Not(HasSubstr("behind")));
        EXPECT_THAT(nodes["b"].get(target + "/chats").body, HasSubstr(question));
    }
    for (const char* const name : {"a", "b"}) // what it left is published: nobody asks upstream any more
        nodes[name].wait_for([&](const Json&) {
            const HttpReply reply = nodes[name].get(target + "/chats");
            return reply.body.find("the third") != std::string::npos &&
                   reply.header("Cache-Status").starts_with("alli-mirror; hit");
        });
}

TEST_F(ClusterNodes, WhatAnAppInsistsOnAtAFollowerTheLeaderFetchesForAll)
{
    start_two();
    const std::string id = upstream.conversation_ids().front(), target = "/webapi/v2/conversations/" + encode(id);
    upstream.edit_title(id, "that no poll finds");
    const HttpReply insisted =
        support::http(nodes["b"].port, "GET", target, {{"API-KEY", "sandbox"}, {"Cache-Control", "no-cache"}});
    EXPECT_THAT(insisted.body, HasSubstr("that no poll finds"));
    for (const char* const name : {"a", "b"})
        nodes[name].wait_for([&](const Json&) {
            const HttpReply reply = nodes[name].get(target);
            return reply.body.find("that no poll finds") != std::string::npos &&
                   reply.header("Cache-Status").starts_with("alli-mirror; hit");
        });
}

TEST_F(ClusterNodes, WithDatabaseAndUpstreamBothAwayAFollowerServes)
{
    start_two();
    const std::string before = nodes["b"].get(list).body;
    nodes["a"].process.send(SIGKILL);
    nodes["a"].process.wait();
    cluster_tests::postgres().stop();
    upstream.stop();
    nodes["b"].wait_for([](const Json& status) { return status["cluster"]["databaseReachable"] == false; });
    const HttpReply now = nodes["b"].get(list);
    EXPECT_EQ(now.status, 200);
    EXPECT_EQ(now.body, before);
    EXPECT_THAT(now.header("Cache-Status"), HasSubstr("alli-mirror; hit"));
    EXPECT_EQ(put_title(nodes["b"], "any", "nobody takes it").status, 503);
    EXPECT_EQ(nodes["b"].stop(), 0);
    nodes.home("b").environment["ALLI_MIRROR_PROXY_MAX_AGE"] = "1ms";
    nodes.start("b"); // over its own files, with nobody to ask
    const HttpReply later = nodes["b"].get(list);
    EXPECT_EQ(later.body, before);
    EXPECT_THAT(later.header("Cache-Status"), HasSubstr("detail=database-away"));
    EXPECT_NE(nodes["b"].status()["problems"], Json::array());
    cluster_tests::postgres().start();
    nodes.wait_for_role(nodes["b"], "leader");
}

TEST_F(ClusterNodes, AFrozenLeaderIsEndedBeforeAnotherOneSends)
{
    start_two();
    nodes["a"].process.send(SIGSTOP);
    EXPECT_EQ(nodes["a"].process.wait(5s), 128 + SIGKILL); // nobody sends it
    nodes.wait_for_role(nodes["b"], "leader");
    nodes.start("a");
    nodes.wait_until_level(nodes["a"], nodes["b"]);
    EXPECT_EQ(nodes["a"].get(list).body, nodes["b"].get(list).body);
}

TEST_F(ClusterNodes, AnAnswerSaysHowFarTheNodeWasAndARequestWaitsForThat)
{
    start_two();
    const std::string id = upstream.conversation_ids().front(), target = "/webapi/v2/conversations/" + encode(id);
    const auto ask = [&](const std::string& position) {
        return support::http(nodes["b"].port, "GET", target, {{"API-KEY", "sandbox"}, {"Mirror-Position", position}});
    };
    const std::string reached(nodes["b"].get(target).header("Mirror-Position"));
    EXPECT_EQ(reached, std::to_string(nodes["b"].status()["cluster"]["position"].get<std::int64_t>()));
    EXPECT_THAT(ask(reached).header("Cache-Status"), Not(HasSubstr("behind")));
    const HttpReply late = ask("9007199254740990");
    EXPECT_EQ(late.status, 200);
    EXPECT_THAT(late.header("Cache-Status"), HasSubstr("detail=behind"));
    EXPECT_EQ(ask("-1").status, 400);
    EXPECT_EQ(ask("1 2").status, 400);
}

TEST_F(ClusterNodes, WebhooksOfANodeThatDoesNotLeadAreAProblemThere)
{
    const support::TempDir dir;
    std::ofstream(dir / "secret") << "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    std::filesystem::permissions(dir / "secret", std::filesystem::perms(0600));
    upstream_test::ScriptedServer receiver([](const auto&) { return upstream_test::answer(200, "{}"); });
    std::ofstream(dir / "config.toml") << fmt::format("[[webhook]]\nurl = \"{}/hook\"\nsecret_file = \"{}\"\n",
                                                      receiver.url(), dir / "secret");
    nodes.settings["ALLI_MIRROR_CONFIG"] = dir / "config.toml";
    start_two();
    const Json problems = nodes["b"].status()["problems"];
    ASSERT_EQ(problems.size(), 1U) << problems.dump();
    EXPECT_THAT(problems.dump(), HasSubstr("calls its webhooks only while it does"));
    EXPECT_THAT(nodes["b"].get("/metrics").body, HasSubstr("\nalli_mirror_problems 1\n"));
    EXPECT_EQ(nodes["a"].status()["problems"], Json::array());
    EXPECT_EQ(nodes["a"].stop(), 0);
    nodes.wait_for_role(nodes["b"], "leader");
    EXPECT_THAT(nodes["b"].status()["problems"].dump(), Not(HasSubstr("webhooks")));
    EXPECT_EQ(nodes["b"].stop(), 0);
}

TEST_F(ClusterNodes, AWrongPasswordIsAProblemAndNoEnd)
{
    cluster_tests::postgres().run_sql("DROP ROLE IF EXISTS wrong; CREATE ROLE wrong LOGIN PASSWORD 'right'");
    cluster_tests::postgres().set_rules("local all wrong scram-sha-256\nlocal all all trust\n");
    nodes.url = cluster_tests::postgres().url("wrong");
    const auto started = std::chrono::steady_clock::now();
    nodes.start("a");
    const Json status = nodes["a"].wait_for([](const Json& now) {
        return !now["problems"].empty() && now["problems"].dump().find("password") != std::string::npos;
    });
    EXPECT_LT(std::chrono::steady_clock::now() - started, 5s);
    EXPECT_NE(status["cluster"]["role"], "leader");
    EXPECT_THAT(nodes["a"].get(list).header("Cache-Status"), HasSubstr("fwd="));
    EXPECT_EQ(nodes["a"].stop(), 0);
    cluster_tests::postgres().set_rules("local all all trust\n");
}

TEST_F(ClusterNodes, AMachineAloneHasNoThreadForACluster)
{
    Home home;
    home.use(upstream);
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    EXPECT_THAT(thread_names(daemon.process.pid()), Not(testing::Contains("cluster")));
    EXPECT_FALSE(daemon.status().contains("cluster"));
    EXPECT_EQ(daemon.get(list).header("Mirror-Position"), "");
    EXPECT_EQ(daemon.get("/readyz?role=leader").status, 200);
    EXPECT_EQ(post(daemon, "/mirror/v1/cluster/step-down").status, 403); // the key's scope ends before that
    EXPECT_THAT(daemon.get("/metrics").body, Not(HasSubstr("cluster")));
    nodes.wait_for_role(nodes.start("a"), "leader"); // by then its threads have their names
    EXPECT_THAT(thread_names(nodes["a"].process.pid()), testing::Contains("cluster"));
    EXPECT_THAT(nodes["a"].get("/metrics").body, HasSubstr("alli_mirror_cluster_role{role=\"leader\"} 1"));
}

} // namespace
} // namespace alli::daemon
