// SPDX-License-Identifier: Apache-2.0
// `cluster` through the real program, over a real PostgreSQL: what each command does, and what it says and how it ends
// where it cannot.
#include "cluster/postgres/postgres_truth.hpp"
#include "tests/daemon/cluster_home.hpp"
#include "tests/daemon/daemon.hpp"
#include "tests/upstream/scripted_server.hpp"

namespace alli::daemon {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Cluster : public ClusterHome {
  protected:
    std::unique_ptr<cluster::PostgresTruth> node(const std::string& name)
    {
        cluster::PostgresOptions options;
        options.url = postgres().url();
        options.schema = schema;
        options.self = {name, name + "-1"};
        return std::make_unique<cluster::PostgresTruth>(options);
    }
};

TEST_F(Cluster, InitMakesTablesAndViewsAndSaysWhoReadsThem)
{
    EXPECT_THAT(init(), AllOf(HasSubstr("schema " + schema + " of database postgres"),
                              HasSubstr("the role " + schema + "_read reads the views"), HasSubstr("it was made")));
    EXPECT_EQ(sql("SELECT count(*) FROM head"), "1");
    EXPECT_EQ(postgres().run_sql("SELECT count(*) FROM " + schema + "_read.conversation"), "0");
}

TEST_F(Cluster, InitRefusesASchemaThatIsInUse)
{
    init();
    EXPECT_THAT(run(1, {"cluster", "init"}), AllOf(HasSubstr("in use"), HasSubstr("cluster.schema")));
    const std::string foreign = schema + "_foreign";
    postgres().run_sql("CREATE SCHEMA " + foreign + "; CREATE TABLE " + foreign + ".theirs (x int)");
    set("SCHEMA", foreign);
    EXPECT_THAT(run(1, {"cluster", "init"}), HasSubstr("the schema " + foreign + " is in use"));
    EXPECT_EQ(postgres().run_sql("SELECT count(*) FROM pg_tables WHERE schemaname = '" + foreign + "'"), "1");
}

TEST_F(Cluster, InitRefusesADatabaseThatIsNotUtf8)
{
    postgres().run_sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    set("URL", postgres().url("postgres", "latin"));
    EXPECT_THAT(run(2, {"cluster", "init"}), AllOf(HasSubstr("LATIN1"), HasSubstr("UTF8")));
}

TEST_F(Cluster, InitByAnOwnerGivesTheDaemonsAndTheAnalystsTheirRights)
{
    const std::string owner = schema + "_owner", daemons = schema + "_daemon", analysts = schema + "_analysts";
    for (const std::string& role : {owner, daemons, analysts}) postgres().run_sql("CREATE ROLE " + role + " LOGIN");
    set("URL", postgres().url(daemons));
    const std::vector<std::string> words{"cluster", "init", "--url", postgres().url(owner), "--reader", analysts};
    EXPECT_THAT(run(3, words), HasSubstr("CREATE ON DATABASE")) << "nobody may make a schema but the database's owner";
    postgres().run_sql("GRANT CREATE ON DATABASE postgres TO " + owner);
    const json made = json_of(words);
    EXPECT_EQ(made["role"], daemons) << "the user of cluster.url";
    EXPECT_EQ(made["reader"], analysts);
    EXPECT_EQ(made["madeReader"], false);
    EXPECT_EQ(made["schema"], schema);
    EXPECT_EQ(json_of({"cluster", "status"})["nodes"], json::array());
    EXPECT_EQ(postgres().run_sql("SET ROLE " + analysts + "; SELECT count(*) FROM " + schema + "_read.daily"), "0");
    EXPECT_EQ(postgres().run_sql("SELECT tableowner FROM pg_tables WHERE tablename = 'head' AND schemaname = '" +
                                 schema + "'"),
              owner);
}

TEST_F(Cluster, WithoutTheRightToMakeRolesInitSaysThatNobodyReadsTheViews)
{
    const std::string owner = schema + "_owner";
    postgres().run_sql("CREATE ROLE " + owner + " LOGIN; GRANT CREATE ON DATABASE postgres TO " + owner);
    EXPECT_THAT(init({"--url", postgres().url(owner), "--role", owner}),
                AllOf(HasSubstr("only the owner reads the views"), HasSubstr("--reader")));
}

TEST_F(Cluster, InitForARoleThatIsNotThereMakesNothing)
{
    EXPECT_THAT(run(2, {"cluster", "init", "--role", "nobody_knows"}),
                AllOf(HasSubstr("nobody_knows"), HasSubstr("CREATE ROLE")));
    EXPECT_EQ(postgres().run_sql("SELECT count(*) FROM pg_namespace WHERE nspname = '" + schema + "'"), "0");
}

TEST_F(Cluster, BeforeInitEachCommandSaysWhatMakesTheTables)
{
    for (const char* command : {"status", "migrate"})
        EXPECT_THAT(run(2, {"cluster", command}), HasSubstr("alli-mirror cluster init")) << command;
}

TEST_F(Cluster, MigrateSaysWhichVersionTheTablesAreOf)
{
    init();
    const json same = json_of({"cluster", "migrate"});
    EXPECT_EQ(same["before"], same["version"]);
    EXPECT_THAT(run(0, {"cluster", "migrate"}), HasSubstr("already"));
    sql("UPDATE head SET version = 99");
    EXPECT_THAT(run(0, {"cluster", "migrate"}), HasSubstr("newer than this program's"));
    EXPECT_EQ(sql("SELECT version FROM head"), "99");
    sql("UPDATE head SET read_from = 99");
    EXPECT_THAT(run(2, {"cluster", "status"}), HasSubstr("install the newer program"));
}

TEST_F(Cluster, StatusShowsWhoLeadsAndHowFarEachIs)
{
    init();
    EXPECT_THAT(run(0, {"cluster", "status"}), AllOf(HasSubstr("leader    none"), HasSubstr("none yet")));
    set("NODE", "two");
    const auto one = node("one"), two = node("two");
    const cluster::Head head = sync_wait(one->head());
    const auto epoch = sync_wait(one->campaign(head.epoch, head.beat));
    ASSERT_TRUE(epoch);
    cache::PublishedRows rows;
    rows.state.push_back({"name", "value"});
    const cluster::Position position = sync_wait(one->publish(*epoch, rows));
    cluster::NodeRow row{{}, "1.0", "10.0.0.1:8787", "full", "leader", position.number, {}};
    sync_wait(one->announce(row));
    row.doing = "follower", row.role = "reader", row.position = position.number - 1, row.address = "";
    sync_wait(two->announce(row));

    const json status = json_of({"cluster", "status"});
    EXPECT_EQ(status["leader"], "one");
    EXPECT_EQ(status["epoch"], 1);
    EXPECT_EQ(status["position"], position.number);
    ASSERT_EQ(status["nodes"].size(), 2U);
    EXPECT_EQ(status["nodes"][0]["address"], "10.0.0.1:8787");
    EXPECT_EQ(status["nodes"][0]["lag"], 0);
    EXPECT_EQ(status["nodes"][0]["here"], false);
    EXPECT_EQ(status["nodes"][1]["doing"], "follower");
    EXPECT_EQ(status["nodes"][1]["lag"], 1);
    EXPECT_EQ(status["nodes"][1]["here"], true);
    EXPECT_EQ(status["nodes"][1]["address"], nullptr);
    sql("UPDATE node SET seen_at = now() - interval '1 hour' WHERE name = 'two'");
    EXPECT_THAT(run(0, {"cluster", "status"}), AllOf(HasSubstr("leader    one, epoch 1"), HasSubstr("(silent)"),
                                                     HasSubstr("1 behind"), HasSubstr("(this machine)")));
}

TEST_F(Cluster, StatusShowsWhatWaitsInTheSharedOutbox)
{
    init();
    EXPECT_THAT(run(0, {"cluster", "status"}), HasSubstr("writes    0 wait or are being sent; 0 in conflict"));
    const auto one = node("one");
    cache::NewWrite write;
    write.entry.body = "12345";
    write.entry.created_at = Instant(std::chrono::seconds(1'769'851'800));
    for (const char* const key : {"a", "b"}) {
        write.entry.upstream_key = key;
        sync_wait(one->outbox().accept(write, {}));
    }
    sql("UPDATE entry SET state = 'conflict' WHERE upstream_key = 'b'");
    const json writes = json_of({"cluster", "status"})["writes"];
    EXPECT_EQ(writes["pending"], 1);
    EXPECT_EQ(writes["sending"], 0);
    EXPECT_EQ(writes["conflicts"], 1);
    EXPECT_EQ(writes["failed"], 0);
    EXPECT_EQ(writes["bytes"], 10);
    EXPECT_EQ(writes["oldest"], "2026-01-31T09:30:00Z");
    EXPECT_THAT(run(0, {"cluster", "status"}),
                HasSubstr("1 wait or are being sent, the oldest since 2026-01-31T09:30:00Z; 1 in conflict, 0 failed"));
}

TEST_F(Cluster, StatusWritesNothing)
{
    init();
    const std::string head = sql("SELECT head::text FROM head");
    run(0, {"cluster", "status"});
    EXPECT_EQ(sql("SELECT head::text FROM head"), head);
    EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(home.mirror()).parent_path() / "node"));
}

TEST_F(Cluster, ADatabaseThatIsAwayEndsWith4)
{
    set("URL", "postgresql://postgres@127.0.0.1:1/postgres");
    for (const char* command : {"status", "init", "migrate"})
        EXPECT_THAT(run(4, {"cluster", command}), HasSubstr("127.0.0.1 cannot be reached")) << command;
}

TEST_F(Cluster, AWrongPasswordEndsWith3AndIsNowhereToBeRead)
{
    init();
    make_guarded("the-right-one");
    EXPECT_THAT(run(3, {"cluster", "status"}), HasSubstr("cluster.password_file"));
    set("PASSWORD_FILE", home.write("password", "not-the-right-one\n"));
    EXPECT_THAT(run(3, {"cluster", "status"}), AllOf(HasSubstr("password"), Not(HasSubstr("not-the-right-one"))));
    home.write("password", "the-right-one\n");
    for (const std::vector<std::string>& words : {std::vector<std::string>{"cluster", "status"},
                                                  {"cluster", "status", "--json"},
                                                  {"config", "show"},
                                                  {"config", "show", "--json"},
                                                  {"cluster", "migrate"}})
        EXPECT_THAT(run(0, words), Not(HasSubstr("the-right-one")));
    home.write("password", "the-right-one\n", std::filesystem::perms(0644));
    EXPECT_THAT(run(2, {"cluster", "status"}), HasSubstr("can be read by others"));
}

TEST_F(Cluster, TheServiceManagersCredentialIsThePassword)
{
    init();
    make_guarded("of-the-credential");
    home.write("alli-database-password", "of-the-credential", std::filesystem::perms(0440));
    home.environment["CREDENTIALS_DIRECTORY"] = home.path("");
    set("PASSWORD_FILE", home.write("password", "another\n"));
    run(0, {"cluster", "status"});
}

TEST_F(Cluster, AnOwnersAddressComesWithAPasswordOfItsOwn)
{
    init();
    const std::string user = make_guarded("the-owners");
    const std::string owner = home.write("owner", "the-owners\n");
    set("URL", postgres().url(schema + "_daemon"));
    set("PASSWORD_FILE", home.write("password", "the-daemons\n"));
    run(0, {"cluster", "migrate", "--url", postgres().url(user), "--password-file", owner});
    EXPECT_THAT(run(3, {"cluster", "migrate", "--url", postgres().url(user)}), HasSubstr("password"));
    EXPECT_THAT(run(2, {"cluster", "migrate", "--password-file", owner}), HasSubstr("--url"));
    EXPECT_THAT(run(2, {"cluster", "migrate", "--url", "postgresql://u:secret@db.example.com/d"}),
                AllOf(HasSubstr("--cluster-url"), Not(HasSubstr("secret"))));
}

TEST_F(Cluster, AServerOfAnotherAuthorityEndsWith3)
{
    const auto certificate = upstream_test::make_certificate(), other = upstream_test::make_certificate();
    const support::PostgresServer server(certificate.certificate, certificate.key);
    const std::string ours = home.write("ours.pem", certificate.certificate);
    const std::string theirs = home.write("theirs.pem", other.certificate);
    const auto trust = [&](const std::string& host, const std::string& authority) {
        set("URL", server.remote_url(host) + "?sslmode=verify-full&sslrootcert=" + authority);
    };
    trust("127.0.0.1", theirs);
    EXPECT_THAT(run(3, {"cluster", "status"}), AllOf(HasSubstr("is not trusted"), HasSubstr("sslrootcert=")));
    trust("localhost", ours);
    EXPECT_THAT(run(3, {"cluster", "status"}), HasSubstr("is not trusted")) << "the certificate is for 127.0.0.1";
    trust("127.0.0.1", ours);
    init();
    EXPECT_THAT(home.run({"doctor"}).output, HasSubstr("answers, by TLS"));
}

TEST_F(Cluster, ARoleWithoutRightsIsToldWhatGrantsThem)
{
    init();
    const std::string stranger = schema + "_stranger";
    postgres().run_sql("CREATE ROLE " + stranger + " LOGIN");
    set("URL", postgres().url(stranger));
    EXPECT_THAT(run(2, {"cluster", "status"}), HasSubstr("init --role"));
    postgres().run_sql("GRANT USAGE ON SCHEMA " + schema + " TO " + stranger);
    EXPECT_THAT(run(3, {"cluster", "status"}), HasSubstr("init --role"));
}

TEST_F(Cluster, AMachineAloneIsToldSo)
{
    home.environment.erase("ALLI_MIRROR_CLUSTER_URL");
    for (const char* command : {"status", "init", "migrate"})
        EXPECT_THAT(run(2, {"cluster", command}), AllOf(HasSubstr("cluster.url"), HasSubstr("alone"))) << command;
}

TEST_F(Cluster, StepDownAsksTheDaemonOfThisMachine)
{
    EXPECT_THAT(run(1, {"cluster", "step-down"}), HasSubstr("no daemon runs"));
    home.environment.erase("ALLI_MIRROR_CLUSTER_URL");
    const sandbox::Sandbox upstream(small_sandbox());
    home.use(upstream);
    home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0,unix:" + home.path("proxy.sock");
    Daemon daemon(home, {"serve"});
    EXPECT_THAT(run(1, {"cluster", "step-down"}), HasSubstr("cluster"));
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Cluster, SyncByItselfIsRefusedAtANode)
{
    init();
    const sandbox::Sandbox upstream(small_sandbox());
    home.use(upstream);
    EXPECT_THAT(run(1, {"sync"}), HasSubstr("a node of a cluster"));
    EXPECT_FALSE(std::filesystem::exists(home.mirror()));
}

} // namespace
} // namespace alli::daemon
