// SPDX-License-Identifier: Apache-2.0
// What becomes of damaged files, through the real program: set aside, said everywhere, made anew; no write is lost.
#include "cache/db/quarantine.hpp"
#include "cache/db/sqlite.hpp"
#include "tests/daemon/daemon.hpp"
#include "upstream/target.hpp"

#include <gmock/gmock.h>

namespace alli::daemon {

using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

class Damage : public testing::Test {
  protected:
    Damage()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0,unix:" + home.path("proxy.sock");
        home.environment["ALLI_MIRROR_SYNC_INTERVAL"] = "50ms";
    }

    static void spoil(const std::string& path, std::int64_t from_page, std::int64_t pages)
    {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(from_page * 4096);
        file << std::string(static_cast<std::size_t>(pages * 4096), '\xee');
    }

    std::vector<std::int64_t> pages_of(const std::string& table) const
    {
        cache::Reader db(home.mirror(), cache::Access::read);
        std::vector<std::int64_t> pages;
        for (const cache::Row row : db.query("SELECT pageno FROM dbstat WHERE name = ?1 AND pagetype = 'leaf'", table))
            pages.push_back(row.integer(0));
        return pages;
    }

    std::string outbox() const { return fs::path(home.mirror()).parent_path() / "outbox.db"; }

    sandbox::Sandbox upstream{small_sandbox(60)};
    Home home;
};

TEST_F(Damage, AMirrorIsMadeAnewAndEverybodyIsTold)
{
    ASSERT_EQ(home.run({"sync"}).code, 0);
    const auto whole = home.run({"export"});
    spoil(home.mirror(), 1, 4);
    const auto read = home.run({"search", "hotel"});
    EXPECT_EQ(read.code, 5) << "a command that only reads says so";
    EXPECT_THAT(read.errors, HasSubstr("set aside"));

    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    const json status = daemon.status();
    ASSERT_EQ(status["problems"].size(), 1U) << status.dump();
    EXPECT_THAT(status["problems"][0]["what"].get<std::string>(), HasSubstr("mirror.db was damaged"));
    EXPECT_THAT(daemon.get("/metrics").body, HasSubstr("alli_mirror_damaged_files 1"));
    EXPECT_EQ(home.run({"export"}).output, whole.output);
    EXPECT_EQ(daemon.stop(), 0);
    EXPECT_THAT(daemon.process.errors(), HasSubstr("mirror.db was damaged"));
    ASSERT_EQ(cache::quarantined_files(home.mirror()).size(), 1U);
}

TEST_F(Damage, ADaemonThatMeetsADamagedPageStopsAndTheNextOneMends)
{
    ASSERT_EQ(home.run({"sync"}).code, 0);
    for (const std::int64_t page : pages_of("chat_segment")) spoil(home.mirror(), page - 1, 1);
    Daemon daemon(home, {"serve"}); // the start does not look there
    const std::string id = upstream.conversation_ids().front();
    EXPECT_NE(daemon.get(upstream::conversation_target(ConversationId{id}, "/chats")).status, 200);
    EXPECT_EQ(daemon.process.wait(std::chrono::seconds(20)), 5);
    Daemon next(home, {"serve"});
    next.wait_until_complete();
    EXPECT_EQ(next.status()["mirror"]["conversations"], 60);
    EXPECT_EQ(next.stop(), 0);
}

TEST_F(Damage, AMirrorThatWasLeftOpenIsReadThroughWithoutAnybodyAsking)
{
    ASSERT_EQ(home.run({"sync"}).code, 0);
    {
        Daemon killed(home, {"serve"});
        killed.process.send(SIGKILL);
        EXPECT_EQ(killed.process.wait(), 128 + SIGKILL);
    }
    for (const std::int64_t page : pages_of("chat_segment")) spoil(home.mirror(), page - 1, 1);
    upstream.stop(); // nothing that would make the engine look there
    Daemon daemon(home, {"serve"});
    EXPECT_EQ(daemon.process.wait(std::chrono::seconds(20)), 5);
    EXPECT_TRUE(cache::find_damage_marker(home.mirror())) << "the next start sets it aside";
}

TEST_F(Damage, WritesThatWaitOutliveADamagedOutbox)
{
    ASSERT_EQ(home.run({"sync"}).code, 0);
    const std::string id = upstream.conversation_ids().front();
    {
        Daemon daemon(home, {"serve"});
        const auto reply =
            support::http(daemon.port, "PUT", upstream::conversation_target(ConversationId{id}, "/title"),
                          {{"API-KEY", "sandbox"}, {"Content-Type", "application/json"}, {"Prefer", "respond-async"}},
                          R"({"title":"kept"})");
        ASSERT_EQ(reply.status, 202) << reply.body;
        EXPECT_EQ(daemon.stop(), 0);
    }
    cache::put_damage_marker(outbox(), "as if a process had met damage");
    Daemon daemon(home, {"serve"});
    const json status = daemon.wait_for([](const json& now) { return now["outbox"]["pending"] == 0; });
    ASSERT_FALSE(status["problems"].empty());
    EXPECT_THAT(status["problems"][0]["what"].get<std::string>(), HasSubstr("1 writes could be read"));
    EXPECT_EQ(json::parse(upstream.conversation_json(id))["title"], "kept");
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace alli::daemon
