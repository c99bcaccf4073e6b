// SPDX-License-Identifier: Apache-2.0
// Webhooks of the real daemon, towards receivers that take, refuse, redirect, want no more or are not there.
#include "alli/clock.hpp"
#include "alli/sync_wait.hpp"
#include "cache/store.hpp"
#include "cache/webhook_state.hpp"
#include "tests/daemon/daemon.hpp"
#include "tests/upstream/scripted_server.hpp"
#include "upstream/target.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <mutex>
#include <set>

namespace alli::daemon {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using upstream_test::answer;
using upstream_test::Heard;

constexpr const char* secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

class Webhook : public testing::Test {
  protected:
    Webhook()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_PROXY_LISTEN"] = "127.0.0.1:0,unix:" + home.path("proxy.sock");
        home.write("secret", secret);
        configure("");
        const json list =
            json::parse(support::http(upstream_port(), "GET", "/webapi/v2/conversations?pageSize=10").body);
        for (const json& one : list["conversations"]) ids.push_back(one["id"]);
    }

    std::uint16_t upstream_port() const
    {
        const std::string url = upstream.url();
        return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
    }
    void configure(const std::string& more)
    {
        const std::string text = fmt::format("[[webhook]]\nurl = \"{}/hook?key=canary\"\nsecret_file = \"{}\"\n{}",
                                             receiver.url(), home.path("secret"), more);
        std::filesystem::create_directories(home.path(".config/alli-mirror"));
        home.write(".config/alli-mirror/config.toml", text);
    }
    upstream_test::Answer take(const Heard& heard)
    {
        const json body = json::parse(heard.body, nullptr, false);
        return answer(answer_to ? answer_to(body) : 200, "{}");
    }
    std::vector<json> taken() const // bodies, with the id
    {
        std::vector<json> all;
        for (const Heard& heard : receiver.heard()) {
            json body = json::parse(heard.body);
            body["id"] = heard.header("webhook-id");
            all.push_back(std::move(body));
        }
        return all;
    }
    bool has_come(const std::function<bool(const json&)>& fits) const
    {
        const auto all = taken();
        return std::any_of(all.begin(), all.end(), fits);
    }
    void wait_for(const std::function<bool()>& fits) const
    {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(40);
        while (!fits()) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline) << json(taken()).dump();
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }
    static void rename(const Daemon& daemon, const std::string& id, const std::string& title)
    {
        const auto reply = support::http(
            daemon.port, "PUT", upstream::conversation_target(ConversationId{id}, "/title"),
            {{"API-KEY", daemon.key}, {"Content-Type", "application/json"}}, json{{"title", title}}.dump());
        EXPECT_THAT(reply.status, testing::AnyOf(200, 202)) << reply.body;
    }
    bool is_told_of(const std::string& id) const
    {
        return has_come([&](const json& body) {
            return body["type"] == "conversation.updated" && body["data"]["conversationId"] == id;
        });
    }
    static json webhook_of(const Daemon& daemon) { return daemon.status()["webhooks"].at(0); }

    Home home;
    sandbox::Sandbox upstream{small_sandbox()};
    std::vector<std::string> ids;
    std::function<int(const json&)> answer_to; // set before the daemon starts; none: 200
    upstream_test::ScriptedServer receiver{[this](const Heard& heard) { return take(heard); }};
};

TEST_F(Webhook, TellsOfEachChangeWithoutItsContentAndSaysHowFarItIs)
{
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    rename(daemon, ids[0], "a title that nobody is told");
    wait_for([&] { return is_told_of(ids[0]); });
    for (const Heard& heard : receiver.heard()) {
        EXPECT_EQ(heard.method, "POST");
        EXPECT_EQ(heard.target, "/hook?key=canary");
        EXPECT_EQ(heard.header("content-type"), "application/json");
        EXPECT_THAT(heard.header("webhook-signature"), testing::StartsWith("v1,"));
        EXPECT_THAT(heard.body, Not(HasSubstr("a title")));
    }
    const json status = daemon.wait_for([](const json& now) { return now["webhooks"].at(0)["waiting"] == 0; });
    const json webhook = status["webhooks"].at(0);
    EXPECT_EQ(webhook["state"], "delivering");
    EXPECT_EQ(webhook["lastAnswer"]["status"], 200);
    EXPECT_GT(webhook["delivered"].get<int>(), 0);
    EXPECT_THAT(daemon.get("/metrics").body,
                HasSubstr("alli_mirror_webhook_delivered_total{webhook=\"" + receiver.url()));
    EXPECT_EQ(daemon.stop(), 0);
    const auto listed = home.run({"webhook", "list"});
    EXPECT_THAT(listed.output, HasSubstr("delivering")) << listed.errors;
}

// A receiver of the service's would take what is made up for true: it bears a valid signature.
TEST_F(Webhook, IsNotToldOfASandboxNorKeepsItFromStarting)
{
    for (const char* readable : {secret, ""}) {
        home.write("secret", readable);
        Daemon daemon(home, {"serve", "--sandbox", "--conversations", "3"});
        daemon.wait_until_complete();
        const json list = json::parse(daemon.get("/webapi/v2/conversations?pageSize=1").body);
        rename(daemon, list["conversations"].at(0)["id"], "made up");
        EXPECT_TRUE(daemon.status().value("webhooks", json::array()).empty());
        EXPECT_EQ(daemon.stop(), 0);
    }
    EXPECT_EQ(json(taken()), json::array());
}

TEST_F(Webhook, SecretAndQueryOfTheAddressAppearNowhere)
{
    answer_to = [](const json&) { return 503; };
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    rename(daemon, ids[0], "x");
    daemon.wait_for([](const json& now) { return now["webhooks"].at(0)["failures"] > 1; });
    std::string said = daemon.status().dump() + daemon.get("/metrics").body;
    for (const auto& words : std::vector<std::vector<std::string>>{{"webhook", "list"},
                                                                   {"webhook", "test"},
                                                                   {"status"},
                                                                   {"doctor"},
                                                                   {"config", "show"},
                                                                   {"config", "show", "--json"}}) {
        const auto finished = home.run(words);
        said += finished.output + finished.errors;
    }
    EXPECT_EQ(daemon.stop(), 0);
    said += daemon.process.output() + daemon.process.errors();
    EXPECT_THAT(said, HasSubstr("/hook?..."));
    EXPECT_THAT(said, Not(HasSubstr("canary")));
    EXPECT_THAT(said, Not(HasSubstr("MfKQ9r8GKYqrTwj")));
}

TEST_F(Webhook, ARefusedEventHoldsItsConversationAlone)
{
    std::atomic<bool> sour{true};
    answer_to = [&](const json& body) { return sour && body["data"]["conversationId"] == ids[0] ? 422 : 200; };
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    daemon.wait_for([](const json& now) { return now["webhooks"].at(0)["held"] == 1; });
    rename(daemon, ids[1], "goes on");
    wait_for([&] { return is_told_of(ids[1]); });
    daemon.wait_for([](const json& now) { return now["webhooks"].at(0)["waiting"] == 0; });
    EXPECT_EQ(webhook_of(daemon)["state"], "delivering");
    sour = false;
    daemon.wait_for([](const json& now) { return now["webhooks"].at(0)["held"] == 0; });
    std::vector<std::int64_t> seqs; // of that conversation, as they were taken: in order
    for (const json& body : taken())
        if (body["data"]["conversationId"] == ids[0]) seqs.push_back(body["data"]["seq"]);
    EXPECT_TRUE(std::is_sorted(seqs.begin(), seqs.end())) << json(seqs).dump();
}

TEST_F(Webhook, WhatWasPurgedMeanwhileIsNeverSent)
{
    std::atomic<bool> away{true};
    answer_to = [&](const json&) { return away ? 503 : 200; };
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    daemon.wait_for([](const json& now) { return now["webhooks"].at(0)["failures"] > 0; });
    const std::size_t before = receiver.heard().size();
    const auto purged = home.run({"purge", "--conversation", ids[2], "--yes"});
    ASSERT_EQ(purged.code, 0) << purged.errors;
    const std::size_t after = receiver.heard().size(); // one may have been under way
    away = false;
    const auto woken = home.run({"webhook", "wake"});
    EXPECT_EQ(woken.code, 0) << woken.errors;
    wait_for([&] { return has_come([](const json& body) { return body["type"] == "mirror.reset"; }); });
    rename(daemon, ids[1], "after the reset");
    wait_for([&] { return is_told_of(ids[1]); });
    const auto all = taken();
    for (std::size_t i = after; i < all.size(); ++i) EXPECT_NE(all[i]["data"]["conversationId"], ids[2]) << before;
    std::set<std::string> resets;
    for (const json& body : all)
        if (body["type"] == "mirror.reset") resets.insert(body["id"]);
    EXPECT_EQ(resets.size(), 1U);
}

// A dead one is not hidden behind one that lives.
TEST_F(Webhook, OfTwoWhoseAddressesDifferInTheQueryAloneMetricsTellTheWorseAndTheSum)
{
    configure(fmt::format("events = [\"conversation.updated\"]\n[[webhook]]\nurl = \"{}/hook?key=other\"\n"
                          "secret_file = \"{}\"\nevents = [\"outbox.changed\"]\n",
                          receiver.url(), home.path("secret")));
    answer_to = [](const json& body) { return body["type"] == "outbox.changed" ? 410 : 200; };
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    rename(daemon, ids[0], "a title");
    wait_for([&] { return is_told_of(ids[0]); });
    const json now = daemon.wait_for([](const json& status) {
        std::int64_t delivered = 0, waiting = 0;
        bool gone = false;
        for (const json& one : status["webhooks"]) {
            delivered += one["delivered"].get<std::int64_t>();
            gone = gone || one["state"] == "gone";
            if (one["state"] != "gone") waiting += one["waiting"].get<std::int64_t>();
        }
        return gone && delivered > 0 && waiting == 0;
    });
    const std::string text = daemon.get("/metrics").body, of = "{webhook=" + now["webhooks"][0]["url"].dump() + "} ";
    const std::int64_t sum =
        now["webhooks"][0]["delivered"].get<std::int64_t>() + now["webhooks"][1]["delivered"].get<std::int64_t>();
    EXPECT_NE(text.find("alli_mirror_webhook_ended" + of + "1\n"), std::string::npos);
    EXPECT_NE(text.find("alli_mirror_webhook_delivered_total" + of + std::to_string(sum) + "\n"), std::string::npos);
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Webhook, GoneEndsItUntilAPersonWakesIt)
{
    std::atomic<int> said{410};
    answer_to = [&](const json&) { return said.load(); };
    std::size_t calls = 0;
    {
        Daemon daemon(home, {"serve"});
        daemon.wait_until_complete();
        daemon.wait_for([](const json& now) { return now["webhooks"].at(0)["state"] == "gone"; });
        calls = receiver.heard().size();
        EXPECT_EQ(calls, 1U);
        const auto doctor = home.run({"doctor", "--offline"});
        EXPECT_THAT(doctor.output, HasSubstr("410 Gone"));
        EXPECT_THAT(doctor.output, HasSubstr("alli-mirror webhook wake"));
        EXPECT_EQ(daemon.stop(), 0);
    }
    Daemon daemon(home, {"serve"}); // a restart alone wakes nobody
    rename(daemon, ids.back(), "x");
    EXPECT_EQ(webhook_of(daemon)["state"], "gone");
    said = 204;
    const auto woken = home.run({"webhook", "wake", receiver.url() + "/hook?key=canary"});
    EXPECT_EQ(woken.code, 0) << woken.errors;
    wait_for([&] { return is_told_of(ids.back()); });
    EXPECT_EQ(taken().at(0)["id"], taken().at(calls)["id"]); // it goes on where it was
    EXPECT_EQ(webhook_of(daemon)["state"], "delivering");
}

TEST_F(Webhook, AWeekWithoutSuccessEndsItWithAProblemThatSaysWhatToDo)
{
    std::atomic<int> said{200};
    answer_to = [&](const json&) { return said.load(); };
    {
        Daemon daemon(home, {"serve"});
        daemon.wait_until_complete();
        EXPECT_EQ(daemon.stop(), 0);
    }
    {
        cache::Store store({home.mirror(), upstream.url(), false});
        const auto age = [](cache::Writer& db) {
            cache::WebhookState state = cache::load_webhooks(db).at(0);
            state.tries = 60;
            state.failing_since = SystemClock().now() - std::chrono::hours(24 * 8);
            cache::put_webhook(db, state);
        };
        sync_wait(store.write_outbox(age));
    }
    said = 503;
    Daemon daemon(home, {"serve"});
    rename(daemon, ids[0], "x");
    const json status = daemon.wait_for([](const json& now) { return now["webhooks"].at(0)["state"] == "dead"; });
    EXPECT_THAT(status["problems"].dump(), HasSubstr("took nothing for a week"));
    EXPECT_THAT(status["problems"].dump(), HasSubstr("webhook wake"));
    said = 200;
    const std::size_t before = receiver.heard().size();
    EXPECT_EQ(home.run({"webhook", "wake"}).code, 0);
    wait_for([&] { return receiver.heard().size() > before; });
}

TEST_F(Webhook, ATestEventGoesOutAtOnceAndItsAnswerIsSaid)
{
    std::atomic<int> said{200};
    answer_to = [&](const json&) { return said.load(); };
    const auto taken_by = home.run({"webhook", "test"});
    EXPECT_EQ(taken_by.code, 0) << taken_by.errors;
    EXPECT_THAT(taken_by.output, HasSubstr("took the test event"));
    ASSERT_EQ(taken().size(), 1U);
    EXPECT_EQ(taken()[0]["type"], "mirror.test");
    said = 302;
    const auto refused = home.run({"webhook", "test", "--json"});
    EXPECT_EQ(refused.code, 1);
    EXPECT_THAT(json::parse(refused.output)["error"].get<std::string>(), HasSubstr("redirect"));
    EXPECT_EQ(receiver.heard().size(), 2U);
}

TEST_F(Webhook, NamesOnlyTheEventsThatAreWantedAndAReset)
{
    configure("events = [\"outbox.changed\"]\n");
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    rename(daemon, ids[0], "x");
    wait_for([&] { return has_come([](const json& body) { return body["type"] == "outbox.changed"; }); });
    daemon.wait_for([](const json& now) { return now["webhooks"].at(0)["waiting"] == 0; });
    for (const json& body : taken()) EXPECT_EQ(body["type"], "outbox.changed");
}

} // namespace
} // namespace alli::daemon
