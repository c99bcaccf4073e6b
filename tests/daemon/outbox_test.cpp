// SPDX-License-Identifier: Apache-2.0
// Writes through the real program: upstream's own answer while it is there, the queue and what a person can do with it
// while it is not.
#include "cache/db/sqlite.hpp"
#include "tests/daemon/daemon.hpp"
#include "upstream/target.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace alli::daemon {

using nlohmann::json;
using testing::HasSubstr;

class OutboxCommand : public testing::Test {
  protected:
    OutboxCommand()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0,unix:" + home.path("proxy.sock");
        home.environment["ALLI_MIRROR_OUTBOX_RETRY_INITIAL"] = "50ms";
        home.environment["ALLI_MIRROR_OUTBOX_RETRY_MAX"] = "200ms";
        id = upstream.conversation_ids().front();
    }

    static support::HttpReply title(const Daemon& daemon, const std::string& conversation, const std::string& text)
    {
        return support::http(daemon.port, "PUT", upstream::conversation_target(ConversationId{conversation}, "/title"),
                             {{"API-KEY", "sandbox"}, {"Content-Type", "application/json"}},
                             json{{"title", text}}.dump());
    }
    /// By a daemon that runs no more: the titles "first" and "second".
    void leave_two_waiting()
    {
        Daemon daemon(home, {"serve"});
        daemon.wait_until_complete();
        upstream.set_faults({{sandbox::FaultRule::Kind::reset_before, "setConversationTitle"}});
        EXPECT_EQ(title(daemon, id, "first").status, 202);
        EXPECT_EQ(title(daemon, id, "second").status, 202);
        EXPECT_EQ(daemon.stop(), 0);
    }
    std::string mirrored_title(const Daemon& daemon) const
    {
        return json::parse(daemon.get(upstream::conversation_target(ConversationId{id})).body, nullptr, false)
            .value("title", "");
    }
    std::string upstreams_title() const { return json::parse(upstream.conversation_json(id)).value("title", ""); }
    static bool nothing_waits(const json& status) { return status["outbox"]["pending"] == 0; }

    sandbox::Sandbox upstream{small_sandbox(3)};
    std::string id;
    Home home;
};

TEST_F(OutboxCommand, ForwardsWhileUpstreamIsThere)
{
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    const auto reply = title(daemon, id, "told at once");
    EXPECT_EQ(reply.status, 200) << reply.body;
    EXPECT_EQ(json::parse(reply.body)["title"], "told at once");
    EXPECT_EQ(mirrored_title(daemon), "told at once");
    EXPECT_EQ(upstream.writes().size(), 1U);
    EXPECT_EQ(daemon.status()["safeToStop"], true);
    EXPECT_EQ(title(daemon, "nobody", "x").status, 404);
    EXPECT_EQ(daemon.status()["outbox"]["failed"], 1);
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(OutboxCommand, QueuesWhatCannotGoAndLetsAPersonSteerIt)
{
    upstream.set_faults({{sandbox::FaultRule::Kind::unavailable_html, "setConversationTitle"}});
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    const auto queued = title(daemon, id, "later");
    EXPECT_EQ(queued.status, 202) << queued.body;
    EXPECT_EQ(json::parse(queued.body)["title"], "later");
    EXPECT_EQ(mirrored_title(daemon), "later");
    title(daemon, id, "much later");
    const json status = daemon.status();
    EXPECT_EQ(status["outbox"]["pending"], 2);
    EXPECT_GE(status["outbox"]["oldestAgeSeconds"], 0);
    EXPECT_EQ(status["safeToStop"], false);

    const json listed = json::parse(home.run({"outbox", "list", "--json"}).output);
    ASSERT_EQ(listed["entries"].size(), 2U);
    EXPECT_THAT(home.run({"outbox", "show", "2"}).output, HasSubstr("much later"));
    EXPECT_EQ(home.run({"outbox", "discard", "2"}).code, 1) << "it asks first, and nobody said yes";
    const auto discarded = home.run({"outbox", "discard", "--yes", "2"});
    // It may just be under way, for a moment.
    if (discarded.code == 0) {
        EXPECT_EQ(mirrored_title(daemon), "later");
    }
    EXPECT_EQ(home.run({"outbox", "discard", "--yes", "77"}).code, 1);
    upstream.set_faults({});
    daemon.wait_for(&nothing_waits);
    EXPECT_EQ(upstreams_title(), discarded.code == 0 ? "later" : "much later");
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(OutboxCommand, KeepsWhatWaitsAcrossARestartAndWithoutADaemon)
{
    leave_two_waiting();
    EXPECT_THAT(home.run({"status"}).output, HasSubstr("2 waiting"));
    const auto discarded = home.run({"outbox", "discard", "--yes", "2"});
    EXPECT_EQ(discarded.code, 0) << discarded.errors;
    EXPECT_EQ(home.run({"outbox", "retry", "1"}).code, 0);
    upstream.set_faults({});
    Daemon daemon(home, {"serve"});
    daemon.wait_for(&nothing_waits);
    EXPECT_EQ(upstreams_title(), "first");
    EXPECT_EQ(mirrored_title(daemon), "first");
    EXPECT_EQ(daemon.stop(), 0);
}

// What a kill left amid sending nobody sends.
TEST_F(OutboxCommand, SteersWhatAKilledDaemonWasSending)
{
    leave_two_waiting();
    const auto interrupt = [&] {
        cache::Connection db(home.path(".local/state/alli-mirror/outbox.db"), cache::Access::write);
        db.run("UPDATE entry SET state = 'sending'");
    };
    interrupt();
    EXPECT_EQ(home.run({"outbox", "discard", "--yes", "2"}).code, 0);
    interrupt();
    EXPECT_EQ(home.run({"outbox", "retry", "1"}).code, 0);
    upstream.set_faults({});
    Daemon daemon(home, {"serve"});
    daemon.wait_for(&nothing_waits);
    EXPECT_EQ(upstreams_title(), "first");
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace alli::daemon
