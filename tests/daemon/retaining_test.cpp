// SPDX-License-Identifier: Apache-2.0
// mirror.retention in the real daemon: a new mirror that never fetches what it would not keep, and an old one that says
// what it will erase.
#include "alli/clock.hpp"
#include "tests/daemon/daemon.hpp"
#include "upstream/target.hpp"

#include <gmock/gmock.h>

namespace alli::daemon {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class RetainingDaemon : public testing::Test {
  protected:
    RetainingDaemon()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0,unix:" + home.path("proxy.sock");
        const Instant now = SystemClock().now();
        upstream.add_chat(young, "USER", "is anybody there?");
        for (const std::string& id : upstream.conversation_ids()) {
            const json one = json::parse(upstream.conversation_json(id));
            const auto last = one["lastChatTime"].is_number() ? one["lastChatTime"].get<std::int64_t>() : 0;
            const Instant at =
                last > 100'000'000'000 ? Instant(std::chrono::milliseconds(last)) : Instant(std::chrono::seconds(last));
            if (last > 0 && now - at > std::chrono::days(3)) old.push_back(id);
        }
    }
    static std::int64_t held(const Daemon& daemon) { return daemon.status()["mirror"]["conversations"]; }

    Home home;
    sandbox::Sandbox upstream{small_sandbox()};
    const std::string young = upstream.conversation_ids().front();
    std::vector<std::string> old; // more than three days
};

TEST_F(RetainingDaemon, ANewMirrorNeverFetchesWhatItWouldNotKeepAndPassesItOn)
{
    ASSERT_FALSE(old.empty());
    home.environment["ALLI_MIRROR_MIRROR_RETENTION"] = "2d";
    Daemon daemon(home, {"serve"});
    const json status = daemon.wait_for([](const json& now) { return now["mirror"]["backfill"]["done"] == true; });
    EXPECT_EQ(status["mirror"]["complete"], false);
    EXPECT_LE(held(daemon), std::ssize(upstream.conversation_ids()) - std::ssize(old));
    const std::string target = upstream::conversation_target(ConversationId{old.front()}, "");
    for (int n = 0; n < 2; ++n) { // each from upstream: it is passed on, and not kept
        const auto reply = daemon.get(target);
        EXPECT_EQ(reply.status, 200);
        EXPECT_THAT(std::string(reply.header("Cache-Status")), HasSubstr("fwd=miss"));
    }
    EXPECT_EQ(json::parse(daemon.get("/webapi/v2/conversations?pageSize=50").body)["conversations"].size(),
              upstream.conversation_ids().size());
    const std::int64_t before = held(daemon);
    upstream.add_chat(old.front(), "USER", "and now again");
    daemon.wait_for([&](const json& now) { return now["mirror"]["conversations"] == before + 1; },
                    std::chrono::seconds(60));
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(RetainingDaemon, SetOnAMirrorItSaysWhatItWillEraseAndPurgeDoesItNow)
{
    ASSERT_FALSE(old.empty());
    std::int64_t all = 0;
    {
        Daemon daemon(home, {"serve"});
        daemon.wait_until_complete();
        all = held(daemon);
        EXPECT_EQ(daemon.stop(), 0);
    }
    home.environment["ALLI_MIRROR_MIRROR_RETENTION"] = "2d";
    Daemon daemon(home, {"serve"});
    daemon.process.wait_for_line("mirror.retention will erase");
    const json status = daemon.wait_for(
        [](const json& now) { return now["problems"].dump().find("purge --retention") != std::string::npos; });
    EXPECT_EQ(held(daemon), all);
    const auto plan = home.run({"purge", "--retention", "--dry-run", "--json"});
    ASSERT_EQ(plan.code, 0) << plan.errors;
    EXPECT_GE(json::parse(plan.output)["conversations"], std::ssize(old));
    EXPECT_EQ(held(daemon), all);
    const auto done = home.run({"purge", "--retention", "--yes"});
    ASSERT_EQ(done.code, 0) << done.errors;
    EXPECT_THAT(done.output, HasSubstr("were erased"));
    EXPECT_EQ(held(daemon), all - json::parse(plan.output)["conversations"].get<std::int64_t>());
    EXPECT_EQ(daemon.status()["problems"].dump().find("purge --retention"), std::string::npos);
    EXPECT_THAT(daemon.get("/mirror/v1/changes?since=0").body, HasSubstr("deleted"));
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace
} // namespace alli::daemon
