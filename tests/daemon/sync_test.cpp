// SPDX-License-Identifier: Apache-2.0
// `sync` through the real program, against a sandbox in this process: what it leaves, and how it ends when it cannot.
#include "tests/daemon/daemon.hpp"
#include "tests/upstream/scripted_server.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <csignal>
#include <thread>

namespace alli::daemon {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

static json status_of(const Home& home)
{
    const support::Finished finished = home.run({"status", "--json"});
    EXPECT_EQ(finished.code, 0) << finished.errors;
    return json::parse(finished.output);
}

TEST(Sync, BringsEverythingAndSaysSo)
{
    const sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    const support::Finished finished = home.run({"sync"});
    EXPECT_EQ(finished.code, 0) << finished.errors;
    EXPECT_THAT(finished.errors, HasSubstr("done: 12 conversations"));

    const json status = status_of(home);
    EXPECT_EQ(status["mirror"]["conversations"], 12);
    EXPECT_EQ(status["mirror"]["chats"], upstream.chat_total());
    EXPECT_EQ(status["mirror"]["completeFrom"], "1970-01-01T00:00:00Z");
    EXPECT_EQ(status["mirror"]["backfill"]["done"], true);
    EXPECT_EQ(status["upstream"]["reachable"], nullptr);
    EXPECT_EQ(status["problems"], json::array());
    EXPECT_EQ(status["safeToStop"], true);
    EXPECT_EQ(status["daemon"]["running"], false);
}

TEST(Sync, SaysNothingThatMeansNothing)
{
    const sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    for (int n = 0; n < 2; ++n) { // the second time there is nothing to bring
        const support::Finished finished = home.run({"sync"});
        EXPECT_EQ(finished.code, 0) << finished.errors;
        EXPECT_THAT(finished.errors, HasSubstr(", complete\n"));
        EXPECT_THAT(finished.errors, Not(HasSubstr(" 0 chats/s")));
        EXPECT_THAT(finished.errors, Not(HasSubstr("%")));
    }
}

TEST(Sync, TellsItsEventsAsJsonLines)
{
    const sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    const support::Finished finished = home.run({"sync", "--json"});
    ASSERT_EQ(finished.code, 0) << finished.errors;
    const std::string last = finished.output.substr(finished.output.rfind('\n', finished.output.size() - 2) + 1);
    EXPECT_EQ(json::parse(last)["event"], "done");
    EXPECT_EQ(json::parse(last)["conversations"], 12);
}

TEST(Sync, GoesBackNoFurtherThanAsked)
{
    const sandbox::Sandbox upstream(small_sandbox(40));
    Home home;
    home.use(upstream);
    ASSERT_EQ(home.run({"sync", "--since", "2999-01-01"}).code, 0);
    EXPECT_LT(status_of(home)["mirror"]["conversations"].get<int>(), 40);
}

TEST(Sync, EndsWith3WhenTheKeyIsRefused)
{
    const sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream, "wrong-key-7");
    const support::Finished finished = home.run({"sync"});
    EXPECT_EQ(finished.code, 3) << finished.errors;
    EXPECT_THAT(finished.errors, HasSubstr("\n  hint: "));
    EXPECT_THAT(finished.errors, Not(HasSubstr("wrong-key-7")));
}

TEST(Sync, EndsWith4WhenUpstreamIsOutOfReachAndKeepsWhatIsThere)
{
    sandbox::Sandbox upstream(small_sandbox());
    Home home;
    home.use(upstream);
    ASSERT_EQ(home.run({"sync"}).code, 0);
    upstream.stop();
    const support::Finished finished = home.run({"sync"});
    EXPECT_EQ(finished.code, 4) << finished.errors;
    EXPECT_THAT(finished.errors, HasSubstr("cannot reach 127.0.0.1"));
    EXPECT_THAT(finished.errors, HasSubstr("\n  hint: "));
    EXPECT_EQ(status_of(home)["mirror"]["conversations"], 12);
}

TEST(Sync, EndsWith1WhenAWebPageAnswers)
{
    const upstream_test::ScriptedServer portal([](const upstream_test::Heard&) {
        return upstream_test::answer(200, "<!doctype html><title>Welcome to our hotel</title>",
                                     "Content-Type: text/html\r\n");
    });
    Home home;
    home.environment["ALLI_MIRROR_UPSTREAM_URL"] = portal.url();
    home.environment["ALLI_API_KEY"] = "k";
    const support::Finished finished = home.run({"sync"});
    EXPECT_EQ(finished.code, 1) << finished.errors;
    EXPECT_THAT(finished.errors, HasSubstr("HTML"));
    EXPECT_THAT(finished.errors, HasSubstr("hint: "));
}

class SyncInADaemon : public testing::Test {
  protected:
    SyncInADaemon()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0,unix:" + home.path("proxy.sock");
        home.environment["ALLI_MIRROR_SYNC_INTERVAL"] = "1h"; // it looks because it is asked
    }

    sandbox::Sandbox upstream{small_sandbox()};
    Home home;
};

TEST_F(SyncInADaemon, EndsWhenTheMirrorIsCompleteAsOfNow)
{
    Daemon daemon(home, {"serve"});
    const support::Finished first = home.run({"sync"});
    EXPECT_EQ(first.code, 0) << first.errors;
    EXPECT_THAT(first.errors, HasSubstr("done: 12 conversations"));
    for (int n = 0; n < 3; ++n) { // each is there when it ends
        upstream.add_chat(upstream.conversation_ids()[static_cast<std::size_t>(n)], "USER",
                          "zanzibar " + std::to_string(n));
        const support::Finished again = home.run({"sync", "--json"});
        EXPECT_EQ(again.code, 0) << again.errors;
        const std::string last = again.output.substr(again.output.rfind('\n', again.output.size() - 2) + 1);
        EXPECT_EQ(json::parse(last)["event"], "done");
        EXPECT_EQ(json::parse(last)["chats"], upstream.chat_total());
        EXPECT_EQ(json::parse(home.run({"search", "zanzibar", "--json"}).output)["total"], n + 1);
    }
    EXPECT_EQ(home.run({"sync", "--accept-deletions"}).code, 0);
    const support::Finished since = home.run({"sync", "--since", "2020-01-01"});
    EXPECT_EQ(since.code, 2) << since.errors;
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(SyncInADaemon, SaysThatUpstreamIsAwayWithItsOwnExitCode)
{
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    upstream.stop();
    const support::Finished finished = home.run({"sync"});
    EXPECT_EQ(finished.code, 4) << finished.errors;
    EXPECT_THAT(finished.errors, HasSubstr("cannot reach"));
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(SyncInADaemon, SaysThatItsKeyIsRefused)
{
    home.environment["ALLI_API_KEY"] = "wrong-key-7";
    Daemon daemon(home, {"serve"});
    const support::Finished finished = home.run({"sync"});
    EXPECT_EQ(finished.code, 3) << finished.errors;
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(SyncInADaemon, SaysSoWhereTheDaemonCannotBeAsked)
{
    home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0"; // a port that nobody can know
    Daemon daemon(home, {"serve"});
    const support::Finished finished = home.run({"sync"});
    EXPECT_EQ(finished.code, 1);
    EXPECT_THAT(finished.errors, HasSubstr("Unix socket"));
    EXPECT_EQ(daemon.stop(), 0);
}

TEST(Sync, RefusesTheMirrorOfAnotherUpstream)
{
    const sandbox::Sandbox one(small_sandbox()), other(small_sandbox());
    Home home;
    home.use(one);
    ASSERT_EQ(home.run({"sync"}).code, 0);
    home.use(other);
    const support::Finished finished = home.run({"sync"});
    EXPECT_EQ(finished.code, 2);
    EXPECT_THAT(finished.errors, HasSubstr("belongs to " + one.url()));
}

TEST(Sync, StopsAtASignalAndGoesOnAfterwards)
{
    sandbox::Options options = small_sandbox(300);
    options.faults = {sandbox::FaultRule{.amount = 100}};
    sandbox::Sandbox upstream(options);
    Home home;
    home.use(upstream);
    support::Process sync(Home::words({"sync"}), home.environment);
    while (upstream.request_count("*") < 2) std::this_thread::yield();
    sync.send(SIGINT);
    EXPECT_EQ(sync.wait(std::chrono::seconds(10)), 1);
    EXPECT_THAT(sync.errors(), HasSubstr("stopped before the mirror was complete"));
    upstream.set_faults({});
    EXPECT_EQ(home.run({"sync"}).code, 0);
    EXPECT_EQ(status_of(home)["mirror"]["conversations"], 300);
}

} // namespace alli::daemon
