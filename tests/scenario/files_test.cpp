// SPDX-License-Identifier: Apache-2.0
// The files of a running daemon are taken away, replaced or cut while writes wait: nothing is acknowledged after that,
// what was acknowledged before is delivered by the next daemon, once and in order, and after a kill it says what is
// missing.
#include "tests/daemon/daemon.hpp"
#include "upstream/target.hpp"

#include <gmock/gmock.h>

namespace alli::scenario {

using daemon::Daemon;
using daemon::Home;
using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

class Files : public testing::Test {
  protected:
    Files()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_OUTBOX_RETRY_MAX"] = "200ms";
    }

    int write(const Daemon& daemon, const std::string& id)
    {
        const json body{{"state", "s" + std::to_string(++number)}};
        const auto reply = support::http(daemon.port, "PATCH", upstream::conversation_target(ConversationId{id}),
                                         {{"API-KEY", "sandbox"}}, body.dump());
        said = reply.body;
        if (reply.status == 202) acknowledged.push_back(body["state"]);
        return reply.status;
    }

    /// A daemon with a mirror that is complete, and three writes that wait.
    std::unique_ptr<Daemon> start_with_writes()
    {
        auto daemon = std::make_unique<Daemon>(home, std::vector<std::string>{"serve"});
        daemon->wait_until_complete();
        upstream.set_faults({{sandbox::FaultRule::Kind::unavailable_html}});
        for (int n = 0; n < 3; ++n) EXPECT_EQ(write(*daemon, upstream.conversation_ids().front()), 202) << said;
        return daemon;
    }

    void expect_all_delivered_once(Daemon& next)
    {
        upstream.set_faults({});
        next.wait_for([](const json& now) { return now["outbox"]["pending"] == 0; });
        std::vector<std::string> applied;
        for (const auto& write : upstream.writes()) applied.push_back(json::parse(write.body)["state"]);
        EXPECT_EQ(applied, acknowledged);
    }

    static std::string all_problems(const json& status)
    {
        std::string all;
        for (const json& problem : status["problems"]) all += problem["what"].get<std::string>() + '\n';
        return all;
    }

    std::string outbox() const { return fs::path(home.mirror()).parent_path() / "outbox.db"; }

    sandbox::Sandbox upstream{daemon::small_sandbox(5)};
    Home home;
    std::vector<std::string> acknowledged;
    std::string said;
    int number = 0;
};

TEST_F(Files, AnOutboxThatIsRemovedEndsTheDaemonAndTheNextOneDeliversWhatWaited)
{
    {
        const auto daemon = start_with_writes();
        fs::remove(outbox());
        EXPECT_EQ(write(*daemon, upstream.conversation_ids().back()), 503);
        EXPECT_THAT(said, HasSubstr("outbox.db was removed"));
        EXPECT_EQ(daemon->process.wait(std::chrono::seconds(20)), 5) << "the service manager starts it again";
        EXPECT_THAT(daemon->process.errors(), HasSubstr("outbox.db was removed"));
    }
    Daemon next(home, {"serve"});
    EXPECT_THAT(all_problems(next.status()), HasSubstr("in the outbox again"));
    expect_all_delivered_once(next);
    EXPECT_EQ(next.stop(), 0);
}

TEST_F(Files, ALogThatIsCutIsNoticedWithoutAWrite)
{
    home.environment["ALLI_MIRROR_SYNC_INTERVAL"] = "100ms";
    {
        const auto daemon = start_with_writes();
        fs::resize_file(outbox() + "-wal", 0);
        EXPECT_EQ(daemon->process.wait(std::chrono::seconds(20)), 5);
    }
    Daemon next(home, {"serve"});
    expect_all_delivered_once(next);
    EXPECT_EQ(next.stop(), 0);
}

TEST_F(Files, AnOutboxThatIsReplacedBeforeAnOrderlyStopLosesNothing)
{
    {
        const auto daemon = start_with_writes();
        fs::copy_file(outbox(), outbox() + ".restored");
        fs::rename(outbox() + ".restored", outbox());
        fs::remove(outbox() + "-wal");
        const int code = daemon->stop();
        EXPECT_TRUE(code == 0 || code == 5) << code;
    }
    Daemon next(home, {"serve"});
    expect_all_delivered_once(next);
    EXPECT_EQ(next.stop(), 0);
}

TEST_F(Files, AMirrorThatIsMovedAwayEndsTheDaemonAndTheOutboxGoesOn)
{
    {
        const auto daemon = start_with_writes();
        fs::rename(home.mirror(), home.mirror() + ".elsewhere");
        EXPECT_EQ(write(*daemon, upstream.conversation_ids().back()), 503);
        EXPECT_EQ(daemon->process.wait(std::chrono::seconds(20)), 5);
    }
    upstream.set_faults({});
    Daemon next(home, {"serve"});
    EXPECT_THAT(all_problems(next.status()), HasSubstr("removed or moved"));
    next.wait_for([](const json& now) { return now["outbox"]["pending"] == 0; });
    EXPECT_GE(upstream.writes().size(), 3U);
    EXPECT_EQ(next.stop(), 0);
}

TEST_F(Files, AfterAKillTheNextStartNamesWhatIsMissing)
{
    for (const std::string suffix : {"", "-wal"}) {
        {
            const auto daemon = start_with_writes();
            if (suffix.empty()) fs::remove(outbox());
            fs::remove(outbox() + "-wal");
            daemon->process.send(SIGKILL);
            EXPECT_EQ(daemon->process.wait(), 128 + SIGKILL);
        }
        upstream.set_faults({});
        Daemon next(home, {"serve"});
        EXPECT_THAT(all_problems(next.status()), HasSubstr("outbox.db is")) << suffix;
        EXPECT_THAT(all_problems(next.status()), HasSubstr("not in it"));
        EXPECT_EQ(next.stop(), 0);
        for (const auto& file : fs::directory_iterator(fs::path(outbox()).parent_path()))
            if (file.path().string().find(".notice-") != std::string::npos) fs::remove(file.path());
    }
}

} // namespace alli::scenario
