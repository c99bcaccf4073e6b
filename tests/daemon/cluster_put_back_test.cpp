// SPDX-License-Identifier: Apache-2.0
// Whole daemons over a PostgreSQL that is put back to an earlier state, and daemons whose settings differ.
#include "tests/daemon/cluster_daemons.hpp"

#include <gmock/gmock.h>

namespace alli::daemon {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class ClusterPutBack : public testing::Test {
  protected:
    void start_two()
    {
        nodes.wait_for_role(nodes.start("a"), "leader");
        nodes.start("b");
        nodes.wait_until_level(nodes["b"], nodes["a"]);
    }

    std::string sql(const std::string& text) const { return cluster_tests::postgres().run_sql(text); }
    std::string in_schema(const std::string& text) const { return sql("SET search_path TO " + schema + ";" + text); }

    /// For each table of the cluster, `{0}` its name; in one transaction that sees them all as they were at one moment.
    std::string on_each_table(const std::string& text) const
    {
        std::string all = "SET search_path TO " + schema + "; BEGIN ISOLATION LEVEL REPEATABLE READ;";
        for (const char* const table :
             {"head", "trail", "conversation", "chat", "state", "suppressed", "node", "run", "refresh", "entry"})
            all += fmt::format(fmt::runtime(text), table, schema);
        return sql(all + "COMMIT");
    }
    void back_up()
    {
        sql("CREATE SCHEMA " + schema + "_backup");
        on_each_table("CREATE TABLE {1}_backup.{0} AS TABLE {1}.{0};");
    }
    void put_back() { on_each_table("TRUNCATE {1}.{0}; INSERT INTO {1}.{0} TABLE {1}_backup.{0};"); }

    bool has(const std::string& node, const std::string& id)
    {
        return nodes[node].get("/webapi/v2/conversations?pageSize=50").body.find(id) != std::string::npos;
    }
    std::int64_t position(const std::string& node) { return nodes[node].status()["cluster"]["position"]; }

    sandbox::Sandbox upstream{small_sandbox(40)};
    std::string schema = cluster_tests::make_schema();
    ClusterDaemons nodes{schema, upstream};
};

TEST_F(ClusterPutBack, LosesNothingAndGivesNoNumberTwice)
{
    start_two();
    back_up();
    const std::string added = upstream.add_conversation(2), gone = upstream.add_conversation(1);
    const auto b_has = [&](const std::string& id) { return [this, id](const Json&) { return has("b", id); }; };
    nodes["b"].wait_for(b_has(added));
    nodes["b"].wait_for(b_has(gone));
    nodes.wait_until_level(nodes["b"], nodes["a"]);
    const std::int64_t before = std::max(position("a"), position("b"));
    const std::string changes = "/mirror/v1/changes?limit=1000&since=";
    const std::int64_t read = Json::parse(nodes["b"].get(changes + "now").body)["next"];

    upstream.erase(gone);
    put_back();
    nodes["a"].wait_for([&](const Json&) { return position("a") > before && position("b") > before; });
    nodes["a"].wait_for([&](const Json&) { return !has("a", gone) && !has("b", gone); });
    nodes["a"].wait_for(
        [&](const Json&) { return in_schema("SELECT count(*) FROM conversation WHERE NOT deleted") == "41"; });
    EXPECT_TRUE(has("a", added));
    EXPECT_TRUE(has("b", added));
    EXPECT_EQ(in_schema(fmt::format("SELECT count(*) FROM trail WHERE seq <= {} AND seq > (SELECT last FROM"
                                    " {}_backup.head)",
                                    before, schema)),
              "0");
    const std::string told = nodes["b"].get(changes + std::to_string(read)).body;
    EXPECT_THAT(told, Not(HasSubstr(added + R"(","kind":"deleted")")));
}

TEST_F(ClusterPutBack, SettingsThatDifferAreAStartErrorThatNamesBothUntilTheClusterTakesThem)
{
    start_two();
    EXPECT_EQ(nodes["b"].stop(), 0);
    Home& home = nodes.home("b");
    home.environment["ALLI_MIRROR_SYNC_VARIABLES"] = "plan";
    const auto refused = home.run({"serve"});
    EXPECT_EQ(refused.code, 2);
    EXPECT_THAT(refused.errors, testing::AllOf(HasSubstr(R"(sync.variables is ["plan"] at this node)"),
                                               HasSubstr("[] in the cluster"), HasSubstr("cluster settings --take")));

    EXPECT_THAT(home.run({"cluster", "settings"}).output, HasSubstr(R"(["plan"]  (the cluster has []))"));
    EXPECT_EQ(home.run({"cluster", "settings", "--take"}).code, 0);
    const Json shown = Json::parse(home.run({"cluster", "settings", "--json"}).output);
    EXPECT_EQ(shown["sync.variables"], (Json{{"here", R"(["plan"])"}, {"cluster", R"(["plan"])"}}));
    EXPECT_EQ(shown["upstream.url"]["here"], upstream.url());

    const Json status = nodes["a"].wait_for([](const Json& now) {
        return now["cluster"]["role"] == "apart" && now["problems"].dump().find("sync.variables") != std::string::npos;
    });
    EXPECT_THAT(status["problems"].dump(), HasSubstr("in the cluster"));
    nodes.wait_for_role(nodes.start("b"), "leader");
    EXPECT_EQ(nodes["a"].status()["cluster"]["role"], "apart");
    EXPECT_EQ(nodes["a"].get("/webapi/v2/conversations?pageSize=5").status, 200) << "it answers from its files";
    EXPECT_EQ(nodes["a"].stop(), 0);
    nodes.settings["ALLI_MIRROR_SYNC_VARIABLES"] = "plan";
    nodes.wait_for_role(nodes.start("a"), "follower");
}

TEST_F(ClusterPutBack, ADatabaseThatIsAwayKeepsNoNodeFromStarting)
{
    nodes.url = "postgresql://postgres@127.0.0.1:1/none";
    const auto started = std::chrono::steady_clock::now();
    nodes.start("a").wait_for([](const Json& now) { return !now["problems"].empty(); });
    EXPECT_LT(std::chrono::steady_clock::now() - started, 8s);
}

} // namespace
} // namespace alli::daemon
