// SPDX-License-Identifier: Apache-2.0
// No room left for a write: it gets 507, reads go on, nothing that was acknowledged is lost, and it goes on by itself
// when there is room. On a small file system of its own, where the test may mount one.
#include "tests/daemon/daemon.hpp"
#include "tests/scenario/small_disk.hpp"
#include "upstream/target.hpp"

#include <gmock/gmock.h>

namespace alli::scenario {

using daemon::Daemon;
using daemon::Home;
using nlohmann::json;

class DiskFull : public testing::Test {
  protected:
    DiskFull()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_OUTBOX_RETRY_MAX"] = "200ms";
        for (const std::string& id : upstream.conversation_ids()) paths.push_back(path_of(id));
    }
    static std::string path_of(const std::string& id) { return upstream::conversation_target(ConversationId{id}); }

    int write(const Daemon& daemon)
    {
        const json body{{"state", std::to_string(++number) + std::string(2000, 'x')}};
        const auto reply = support::http(daemon.port, "PATCH", paths.front(), {{"API-KEY", "sandbox"}}, body.dump());
        if (reply.status >= 200 && reply.status < 300) acknowledged.push_back(body["state"]);
        return reply.status;
    }
    /// Until a write is answered so; the last status.
    int write_until(const Daemon& daemon, int status)
    {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        int got = 0;
        while (got != status && std::chrono::steady_clock::now() < deadline) got = write(daemon);
        return got;
    }

    sandbox::Sandbox upstream{daemon::small_sandbox(5)};
    Home home;
    SmallDisk disk{std::filesystem::path(home.mirror()).parent_path(), "size=6m"};
    std::vector<std::string> paths, acknowledged;
    int number = 0;
};

TEST_F(DiskFull, RefusesWritesReadsOnAndRecoversByItself)
{
    if (!disk.mounted()) GTEST_SKIP() << "this user may not mount a small file system";
    {
        Daemon daemon(home, {"serve"});
        daemon.wait_until_complete();
        upstream.set_faults({{sandbox::FaultRule::Kind::unavailable_html}});
        for (int round = 0; round < 3; ++round) {
            EXPECT_EQ(write(daemon), 202);
            disk.fill();
            EXPECT_EQ(write_until(daemon, 507), 507);
            const auto refused =
                support::http(daemon.port, "PATCH", paths.front(), {{"API-KEY", "sandbox"}}, R"({"state":"x"})");
            EXPECT_EQ(refused.status, 507);
            EXPECT_EQ(json::parse(refused.body)["type"], "APIError");
            for (const std::string& path : paths) EXPECT_EQ(daemon.get(path).status, 200);
            EXPECT_TRUE(daemon.status()["disk"]["full"].get<bool>());
            EXPECT_THAT(daemon.get("/metrics").body, testing::HasSubstr("alli_mirror_disk_full 1"));
            disk.free();
            EXPECT_EQ(write_until(daemon, 202), 202);
            daemon.wait_for([](const json& now) { return now["disk"]["full"] == false; });
        }
        EXPECT_EQ(daemon.stop(), 0);
    }
    Daemon daemon(home, {"serve"});
    upstream.set_faults({});
    const json status = daemon.wait_for([](const json& now) { return now["outbox"]["pending"] == 0; });
    EXPECT_EQ(status["outbox"]["failed"], 0);
    std::vector<std::string> applied;
    for (const auto& write : upstream.writes()) applied.push_back(json::parse(write.body)["state"]);
    EXPECT_EQ(applied, acknowledged);
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(DiskFull, IsAStateOfItsOwnAndNoneOfUpstreams)
{
    if (!disk.mounted()) GTEST_SKIP() << "this user may not mount a small file system";
    home.environment["ALLI_MIRROR_SYNC_INTERVAL"] = "50ms";
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    disk.fill();
    for (int n = 0; n < 200; ++n)
        upstream.add_chat(upstream.conversation_ids().front(), "user", std::string(4000, 'y'));
    const json full = daemon.wait_for([](const json& now) { return now["disk"]["full"] == true; });
    std::string problems;
    for (const json& problem : full["problems"])
        problems += problem["what"].get<std::string>() + problem["hint"].get<std::string>();
    EXPECT_THAT(problems, testing::HasSubstr("no room to write"));
    EXPECT_THAT(problems, testing::HasSubstr("free some space"));
    EXPECT_EQ(full["upstream"]["reachable"], true);
    EXPECT_EQ(full["upstream"]["error"], nullptr);
    EXPECT_THAT(daemon.get("/metrics").body, testing::HasSubstr("alli_mirror_upstream_reachable 1"));
    EXPECT_EQ(std::string(daemon.get(paths.front()).header("Cache-Status")).find("offline"), std::string::npos);
    daemon.process.wait_for_line("there is no room to write");
    disk.free();
    daemon.wait_for([](const json& now) { return now["disk"]["full"] == false; });
    daemon.process.wait_for_line("the files can be written again");
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace alli::scenario
