// SPDX-License-Identifier: Apache-2.0
// A daemon whose password or authority the cluster's database refuses, from the start or later: it goes on from its own
// files, says so within five seconds, and the password is nowhere to be read.
#include "tests/daemon/cluster_daemons.hpp"
#include "tests/upstream/scripted_server.hpp"

#include <gmock/gmock.h>

#include <sstream>

namespace alli::daemon {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

const std::string list = "/webapi/v2/conversations?pageSize=50";

class ClusterRefused : public testing::Test {
  protected:
    /// The status that has a problem with this word.
    static void expect_problem_in_time(const Daemon& node, const std::string& word)
    {
        const auto begun = std::chrono::steady_clock::now();
        const Json status =
            node.wait_for([&](const Json& now) { return now["problems"].dump().find(word) != std::string::npos; }, 10s);
        EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
        EXPECT_NE(status["cluster"]["role"], "leader");
        EXPECT_TRUE(status["cluster"]["lag"].is_null()) << "what others say it does not hear";
    }

    /// Neither now nor at the end; and a refusal that lasts fills no log.
    static void expect_nowhere(Daemon& node, const std::string& secret)
    {
        std::ostringstream words;
        words << std::ifstream("/proc/" + std::to_string(node.process.pid()) + "/cmdline").rdbuf();
        for (const char* target : {"/mirror/v1/status", "/metrics"}) words << node.get(target).body;
        EXPECT_EQ(node.stop(), 0) << "it ran all the time";
        words << node.process.output() << node.process.errors();
        EXPECT_THAT(words.str(), Not(HasSubstr(secret)));
        std::istringstream log(node.process.errors());
        int lines = 0;
        for (std::string line; std::getline(log, line);) lines += line.find(" request ") == line.npos;
        EXPECT_LT(lines, 40) << node.process.errors();
    }

    sandbox::Sandbox upstream{small_sandbox(20)};
    support::TempDir directory;
    ClusterDaemons nodes{cluster_tests::make_schema(), upstream};
};

TEST_F(ClusterRefused, APasswordThatIsChangedUnderALeaderIsAProblemUntilItIsRightAgain)
{
    const support::PostgresServer& server = cluster_tests::postgres();
    const std::string secret = "the-first-of-two-passwords", file = directory / "password";
    const auto set_password = [&](const std::string& password) {
        server.run_sql("ALTER ROLE changing PASSWORD '" + password +
                       "';"
                       "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'changing'");
    };
    server.run_sql("DROP ROLE IF EXISTS changing; CREATE ROLE changing LOGIN SUPERUSER");
    set_password(secret);
    cluster_tests::postgres().set_rules("local all changing scram-sha-256\nlocal all all trust\n");
    std::ofstream(file) << secret << '\n';
    std::filesystem::permissions(file, std::filesystem::perms(0600));
    nodes.settings["ALLI_MIRROR_CLUSTER_PASSWORD_FILE"] = file;
    nodes.url = server.url("changing");
    Daemon& node = nodes.start("a");
    nodes.wait_for_role(node, "leader");
    node.wait_until_complete();

    set_password("another");
    expect_problem_in_time(node, "password");
    const auto reply = node.get(list);
    EXPECT_EQ(reply.status, 200);
    EXPECT_THAT(reply.header("Cache-Status"), HasSubstr("hit"));
    set_password(secret);
    const Json status = nodes.wait_for_role(node, "leader");
    EXPECT_THAT(status["problems"].dump(), Not(HasSubstr("password")));
    expect_nowhere(node, secret);
    cluster_tests::postgres().set_rules("local all all trust\n");
}

TEST_F(ClusterRefused, AServerOfAnotherAuthorityIsAProblemAndNoEnd)
{
    const auto certificate = upstream_test::make_certificate(), other = upstream_test::make_certificate();
    const support::PostgresServer server(certificate.certificate, certificate.key);
    std::ofstream(directory / "theirs.pem") << other.certificate;
    nodes.url = server.remote_url("127.0.0.1") + "?sslmode=verify-full&sslrootcert=" + (directory / "theirs.pem");
    Daemon& node = nodes.start("a");
    expect_problem_in_time(node, "is not trusted");
    EXPECT_EQ(node.get(list).status, 200) << "upstream answers, as long as nothing is mirrored";
    expect_nowhere(node, "PRIVATE KEY");
}

} // namespace
} // namespace alli::daemon
