// SPDX-License-Identifier: Apache-2.0
// The real daemon over a service whose reads lag behind its writes: nothing jumps back, nobody is told of a conflict,
// and a kill in between changes nothing of that.
#include "tests/daemon/daemon.hpp"
#include "upstream/target.hpp"

#include <gmock/gmock.h>

namespace alli::scenario {

using daemon::Daemon;
using daemon::Home;
using nlohmann::json;
using testing::Not;
using namespace std::chrono_literals;
using Kind = sandbox::FaultRule::Kind;

class ReadLagScenario : public testing::Test {
  protected:
    ReadLagScenario()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_UPSTREAM_READ_LAG"] = "3s";
        home.environment["ALLI_MIRROR_OUTBOX_RETRY_INITIAL"] = "20ms";
        home.environment["ALLI_MIRROR_OUTBOX_RETRY_MAX"] = "100ms";
        id = upstream.conversation_ids().front();
        chat = upstream.chat_ids(id).front();
        upstream.set_read_lag(1s);
    }

    static support::HttpReply send(const Daemon& daemon, const std::string& method, const std::string& target,
                                   const json& body)
    {
        return support::http(daemon.port, method, target,
                             {{"API-KEY", "sandbox"}, {"Content-Type", "application/json"}},
                             body.is_null() ? "" : body.dump());
    }
    std::string target(const std::string& rest = "") const
    {
        return upstream::conversation_target(ConversationId{id}, rest);
    }
    int title(const Daemon& daemon, const std::string& text) const
    {
        return send(daemon, "PUT", target("/title"), {{"title", text}}).status;
    }
    static support::HttpReply get_anew(const Daemon& daemon, const std::string& target)
    {
        return support::http(daemon.port, "GET", target, {{"API-KEY", "sandbox"}, {"Cache-Control", "no-cache"}});
    }
    /// What every kind of read shows of it: the mirror's, and upstream's own answer on its way through.
    void expect_title(const Daemon& daemon, const std::string& text) const
    {
        for (const auto& reply : {daemon.get(target()), get_anew(daemon, target())})
            EXPECT_EQ(json::parse(reply.body).value("title", ""), text);
        for (const auto& reply : {daemon.get("/webapi/v2/conversations"), get_anew(daemon, "/webapi/v2/conversations")})
            EXPECT_EQ(titles_in(reply.body)[id], text);
    }
    static std::map<std::string, std::string> titles_in(const std::string& body)
    {
        std::map<std::string, std::string> titles;
        const json page = json::parse(body);
        for (const json& item : page.at("conversations")) titles[item["id"]] = item.value("title", "");
        return titles;
    }
    static bool nothing_waits(const json& status) { return status["outbox"]["pending"] == 0; }
    static void for_a_while(std::chrono::milliseconds time, const std::function<void()>& check)
    {
        const auto until = std::chrono::steady_clock::now() + time;
        while (std::chrono::steady_clock::now() < until && !testing::Test::HasFailure()) check();
    }

    sandbox::Sandbox upstream{daemon::small_sandbox(3)};
    std::string id, chat;
    Home home;
};

TEST_F(ReadLagScenario, NothingJumpsBackAndNothingIsAConflict)
{
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    EXPECT_EQ(title(daemon, "A"), 200);
    upstream.set_faults({{Kind::unavailable_html, "setConversationTitle"}});
    EXPECT_EQ(title(daemon, "B"), 202);
    upstream.set_faults({});
    for_a_while(1500ms, [&] { expect_title(daemon, "B"); });
    const json status = daemon.wait_for(&nothing_waits);
    EXPECT_EQ(status["outbox"]["conflicts"], 0);
    EXPECT_EQ(json::parse(upstream.conversation_json(id))["title"], "B");
    for_a_while(1500ms, [&] { expect_title(daemon, "B"); });
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(ReadLagScenario, AKillInBetweenChangesNothing)
{
    {
        Daemon daemon(home, {"serve"});
        daemon.wait_until_complete();
        EXPECT_EQ(title(daemon, "A"), 200);
        daemon.process.send(SIGKILL);
        daemon.process.wait();
    }
    Daemon daemon(home, {"serve"});
    EXPECT_EQ(json::parse(daemon.get(target()).body).value("title", ""), "A");
    daemon.wait_until_complete();
    for_a_while(1500ms, [&] { expect_title(daemon, "A"); });
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(ReadLagScenario, NoRowComesBackAndNoRatingGoes)
{
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    const std::string rated = upstream.conversation_ids().at(1), its_chat = upstream.chat_ids(rated).front();
    const std::string chats = upstream::conversation_target(ConversationId{rated}, "/chats");
    EXPECT_EQ(send(daemon, "POST", upstream::chat_target(ConversationId{rated}, ChatId{its_chat}, "/feedback"),
                   {{"rating", true}})
                  .status,
              200);
    // Upstream's yes has no body, and its reads do not show the effect yet: it waits to be confirmed.
    EXPECT_EQ(send(daemon, "DELETE", target(), nullptr).status, 202);
    for_a_while(2000ms, [&] {
        for (const auto& reply : {daemon.get(target()), get_anew(daemon, target())}) EXPECT_EQ(reply.status, 404);
        for (const auto& reply : {daemon.get("/webapi/v2/conversations"), get_anew(daemon, "/webapi/v2/conversations")})
            EXPECT_THAT(titles_in(reply.body), Not(testing::Contains(testing::Key(id))));
        for (const auto& reply : {daemon.get(chats), get_anew(daemon, chats)})
            EXPECT_EQ(json::parse(reply.body)["chats"][0]["rating"], true);
    });
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace alli::scenario
