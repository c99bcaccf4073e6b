// SPDX-License-Identifier: Apache-2.0
// What `doctor` says of the cluster's database.
#include "tests/daemon/cluster_home.hpp"
#include "tests/support/process.hpp"

#include <unistd.h>

namespace alli::daemon {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class ClusterDoctor : public ClusterHome {
  protected:
    /// "ok: what" of each line about the cluster.
    std::vector<std::string> see(std::vector<std::string> more = {})
    {
        std::vector<std::string> words{"doctor", "--json"};
        words.insert(words.end(), more.begin(), more.end());
        const json report = json::parse(home.run(words).output, nullptr, false);
        std::vector<std::string> lines;
        for (const json& one : report.value("checks", json::array()))
            if (one["check"] == "cluster")
                lines.push_back(one["state"].get<std::string>() + ": " + one["what"].get<std::string>());
        return lines;
    }
};

TEST_F(ClusterDoctor, SaysWhatTheDatabaseIsAndThatNoStandbyConfirms)
{
    init();
    const auto lines = see();
    EXPECT_THAT(lines, Contains(AllOf(StartsWith("ok: PostgreSQL "), HasSubstr("without TLS"), HasSubstr(schema))));
    EXPECT_THAT(lines, Contains(StartsWith("warning: no standby confirms a commit")));
    EXPECT_THAT(lines, Contains(AllOf(StartsWith("ok: 0 nodes seen, none leads"))));
    EXPECT_EQ(lines.size(), 3U) << testing::PrintToString(lines);
    EXPECT_THAT(see({"--offline"}), testing::ElementsAre("ok: was not asked"));
    home.environment.erase("ALLI_MIRROR_CLUSTER_URL");
    EXPECT_THAT(see(), IsEmpty());
}

TEST_F(ClusterDoctor, AddsUpWhatTheNodesMayAskOfUpstream)
{
    init();
    home.environment["ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND"] = "7";
    for (const char* name : {"one", "two", "gone"})
        sql("INSERT INTO node VALUES ('" + std::string(name) + "', '1', '', 'full', 'follower', 1, now())");
    sql("UPDATE node SET seen_at = now() - interval '1 day' WHERE name = 'gone'");
    sql("UPDATE head SET leader = 'two'");
    EXPECT_THAT(see(), Contains(AllOf(StartsWith("ok: 2 nodes seen, two leads"), HasSubstr("14 requests a second"))));
    home.environment["ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND"] = "0";
    EXPECT_THAT(see(), Contains(HasSubstr("no limit")));
}

TEST_F(ClusterDoctor, NamesTheRightsThatLack)
{
    init();
    const std::string reader = schema + "_reader";
    postgres().run_sql("CREATE ROLE " + reader + " LOGIN; GRANT USAGE ON SCHEMA " + schema + " TO " + reader +
                       "; GRANT SELECT ON ALL TABLES IN SCHEMA " + schema + " TO " + reader);
    set("URL", postgres().url(reader));
    EXPECT_THAT(see(), Contains(AllOf(StartsWith("failed: the role lacks "), HasSubstr("UPDATE on head"))));
    EXPECT_EQ(home.run({"doctor"}).code, 2) << "there is no key, which is the first that failed";
}

TEST_F(ClusterDoctor, ADumpOfElsewhereIsNoticed)
{
    init();
    sql("UPDATE head SET system_id = '1'");
    EXPECT_THAT(see(), Contains(StartsWith("warning: the tables came here by a dump")));
}

TEST_F(ClusterDoctor, WhatCannotBeAskedHasFailed)
{
    EXPECT_THAT(see(), Contains(StartsWith("failed: "))) << "there are no tables";
    set("URL", "postgresql://postgres@127.0.0.1:1/postgres");
    EXPECT_THAT(see(), Contains(AllOf(StartsWith("failed: "), HasSubstr("cannot be reached"))));
    set("URL", "postgresql://postgres:hunter2@db.example.com/alli");
    EXPECT_THAT(see(), Contains(AllOf(StartsWith("failed: "), HasSubstr("no password"), Not(HasSubstr("hunter2")))));
}

/// PgBouncer before the tests' PostgreSQL.
class Pooler {
  public:
    explicit Pooler(const std::string& mode)
    {
        const std::string url = postgres().url();
        const auto at = url.find('@') + 1;
        std::string folder;
        for (std::size_t i = at; i < url.find(':', at); ++i)
            folder += url.compare(i, 3, "%2F") == 0 ? (i += 2, '/') : url[i];
        write("pgbouncer.ini", "[databases]\n* = host=" + folder + " port=5432\n[pgbouncer]\npool_mode = " + mode +
                                   "\nunix_socket_dir = " + directory_.path() +
                                   "\nlisten_port = 6432\nauth_type = trust\nauth_file = " + directory_ / "users" +
                                   "\nlogfile = " + directory_ / "log\n");
        write("users", "\"postgres\" \"\"\n");
        std::vector<std::string> words{"/usr/sbin/pgbouncer", directory_ / "pgbouncer.ini"};
        if (::geteuid() == 0)
            words.insert(words.begin(),
                         {"/usr/bin/setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"});
        process_ = std::make_unique<support::Process>(words);
        process_->wait_for_line("process up");
    }
    std::string url() const
    {
        std::string host;
        for (const char c : directory_.path()) host += c == '/' ? std::string("%2F") : std::string(1, c);
        return "postgresql://postgres@" + host + ":6432/postgres";
    }

  private:
    void write(const std::string& name, const std::string& text) const
    {
        std::ofstream(directory_ / name) << text;
        std::filesystem::permissions(directory_.path(), std::filesystem::perms(0777));
    }

    support::TempDir directory_;
    std::unique_ptr<support::Process> process_;
};

TEST_F(ClusterDoctor, APoolerByTransactionIsFoundAndOneBySessionIsNone)
{
    init();
    {
        const Pooler pooler("transaction");
        set("URL", pooler.url());
        EXPECT_THAT(see(), Contains(AllOf(StartsWith("failed: "), HasSubstr("pooler by transaction"))));
    }
    const Pooler pooler("session");
    set("URL", pooler.url());
    EXPECT_THAT(see(), Contains(StartsWith("ok: PostgreSQL ")));
}

} // namespace
} // namespace alli::daemon
