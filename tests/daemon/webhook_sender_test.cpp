// SPDX-License-Identifier: Apache-2.0
// A webhook's sender over a real store and real connections: in order, at least once, with the same id again, and
// nothing that was purged. Store, loop and test share one thread.
#include "daemon/webhook/webhooks.hpp"

#include "cache/upkeep/purge.hpp"
#include "daemon/webhook/webhook_status.hpp"
#include "tests/cache/fixture.hpp"
#include "tests/upstream/scripted_server.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <set>

namespace alli::daemon {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using upstream_test::answer;
using upstream_test::Heard;
using Life = cache::WebhookState::Life;

class Sender : public cache::CacheTest {
  protected:
    ~Sender() override { stop(); }

    WebhookEndpoint endpoint(const std::string& kinds = ",conversation,chats,deleted,outbox,") const
    {
        WebhookEndpoint endpoint;
        endpoint.id = "one";
        endpoint.address = receiver_.url() + "/";
        endpoint.target = "/?key=canary";
        endpoint.secrets = {std::string(32, 's')};
        endpoint.kinds = kinds;
        endpoint.connection.base_url = receiver_.url();
        endpoint.connection.max_connections = 1;
        return endpoint;
    }
    void start(std::vector<WebhookEndpoint> endpoints)
    {
        const WebhookTools tools{loop_.get_executor(), *store_, clock_, random_, most_held};
        webhooks_ = std::make_unique<Webhooks>(std::move(endpoints), tools);
        ended_ = false;
        webhooks_->start([this] { ended_ = true; });
        loop_.restart();
    }
    void start() { start({endpoint()}); }
    void stop()
    {
        if (!webhooks_) return;
        webhooks_->stop();
        run_until([this] { return ended_; });
        webhooks_.reset();
    }
    /// The process dies: nothing is noted any more.
    void begin_anew_from(const cache::WebhookState& state)
    {
        stop();
        const auto put = [&](cache::Writer& db) { cache::put_webhook(db, state); };
        sync_wait(store_->write_outbox(put));
        start();
    }
    void run_until(const std::function<bool()>& fits)
    {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (!fits()) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline) << json(bodies()).dump();
            if (loop_.stopped()) loop_.restart();
            loop_.run_for(std::chrono::milliseconds(5));
        }
    }
    cache::WebhookState state()
    {
        return store_->read_outbox([](cache::Reader& db) { return cache::load_webhooks(db).at(0); });
    }
    Json status()
    {
        return store_->read([&](cache::Reader& db) {
            return store_->read_outbox([&](cache::Reader& outbox) { return make_webhooks(db, outbox).at(0); });
        });
    }
    void wait_until_told()
    {
        run_until([this] {
            const Json now = status();
            return now["waiting"] == 0 && now["held"] == 0 && now["state"] == "delivering";
        });
    }
    void wait_until_open()
    {
        run_until([this] {
            return store_->read_outbox([](cache::Reader& db) { return !cache::load_webhooks(db).empty(); });
        });
    }
    std::vector<json> bodies() const
    {
        std::vector<json> all;
        for (const Heard& heard : receiver_.heard()) {
            json body = json::parse(heard.body);
            body["id"] = heard.header("webhook-id");
            all.push_back(std::move(body));
        }
        return all;
    }
    std::vector<std::string> told_of() const
    {
        std::vector<std::string> ids;
        for (const json& body : bodies())
            ids.push_back(body["data"]["conversationId"].is_string() ? body["data"]["conversationId"] : body["type"]);
        return ids;
    }
    bool told(const std::string& id) const
    {
        const auto ids = told_of();
        return std::find(ids.begin(), ids.end(), id) != ids.end();
    }
    upstream_test::Answer take(const Heard& heard)
    {
        const json body = json::parse(heard.body, nullptr, false);
        const int status = answer_to ? answer_to(body) : 204;
        return answer(status, "", more_headers);
    }

    std::function<int(const json&)> answer_to; // called on the receiver's thread
    std::size_t most_held = 500;
    std::string more_headers = "Content-Type: text/plain\r\n";
    upstream_test::ScriptedServer receiver_{[this](const Heard& heard) { return take(heard); }};
    asio::io_context loop_;
    SystemClock clock_;
    SeededRandom random_{7};
    std::unique_ptr<Webhooks> webhooks_;
    bool ended_ = true;
};

TEST_F(Sender, BeginsWithWhatIsNewAndTellsItInOrder)
{
    put("before", 100, 1);
    start();
    wait_until_open();
    for (int n = 0; n < 150; ++n) put("c" + std::to_string(n), 200 + n, 1);
    wait_until_told();
    std::vector<std::int64_t> seqs;
    for (const json& body : bodies()) seqs.push_back(body["data"]["seq"]);
    EXPECT_EQ(seqs.size(), 300U); // itself and its chats
    EXPECT_TRUE(std::is_sorted(seqs.begin(), seqs.end()));
    EXPECT_EQ(told_of().front(), "c0");
    EXPECT_EQ(status()["delivered"], 300);
}

TEST_F(Sender, GoesOnWhereItWasAndRepeatsWithTheSameId)
{
    start();
    wait_until_open();
    const cache::WebhookState before = state();
    put("a", 100, 1);
    wait_until_told();
    const auto first = bodies();
    stop();
    start();
    put("b", 200, 1);
    wait_until_told();
    EXPECT_EQ(bodies().size(), first.size() + 2); // and nothing of a again
    begin_anew_from(before);
    run_until([&] { return bodies().size() >= 2 * first.size() + 4; });
    const auto all = bodies();
    for (std::size_t i = 0; i < first.size(); ++i) {
        EXPECT_EQ(all[first.size() + 2 + i]["id"], first[i]["id"]);
        EXPECT_EQ(all[first.size() + 2 + i]["data"], first[i]["data"]);
    }
}

TEST_F(Sender, ARefusedEventHoldsItsConversationAlone)
{
    std::atomic<bool> sour{true};
    answer_to = [&](const json& body) { return sour && body["data"]["conversationId"] == "a" ? 500 : 200; };
    start();
    wait_until_open();
    put("a", 100, 1);
    put("b", 200, 1);
    run_until([&] { return status()["held"] == 1 && status()["waiting"] == 0; });
    EXPECT_EQ(status()["state"], "delivering");
    put("a", 300, 2);
    stop(); // what is held survives
    start();
    put("c", 400, 1);
    run_until([&] {
        const auto ids = told_of();
        return std::find(ids.begin(), ids.end(), "c") != ids.end();
    });
    EXPECT_EQ(status()["held"], 1);
    sour = false;
    wait_until_told();
    std::set<std::string> seen;
    std::int64_t last = 0;
    for (const json& body : bodies())
        if (body["data"]["conversationId"] == "a" && seen.insert(body["id"]).second) {
            EXPECT_GT(body["data"]["seq"], last);
            last = body["data"]["seq"];
        }
    EXPECT_GT(last, 0);
}

TEST_F(Sender, SeveralRefusalsAreTheReceiversAsAWhole)
{
    std::atomic<bool> sour{true};
    answer_to = [&](const json&) { return sour ? 500 : 200; };
    start();
    wait_until_open();
    for (int n = 0; n < 40; ++n) put("c" + std::to_string(n), 100 + n, 1);
    run_until([&] { return status()["state"] == "failing"; });
    EXPECT_LT(status()["held"], 20);
    EXPECT_GT(status()["waiting"], 0);
    sour = false;
    wait_until_told();
    std::set<std::string> taken;
    for (const std::string& id : told_of()) taken.insert(id);
    EXPECT_EQ(taken.size(), 40U);
    EXPECT_EQ(status()["givenUp"], 0);
}

// Nothing is wrong but with these: the receiver as a whole seems unwell until another event is tried.
TEST_F(Sender, ManyConversationsThatAreRefusedStopNoOther)
{
    answer_to = [&](const json& body) {
        return body["data"]["conversationId"].get<std::string>().starts_with("bad") ? 422 : 200;
    };
    start();
    wait_until_open();
    for (int n = 0; n < 7; ++n) put("bad" + std::to_string(n), 100 + n, 1);
    put("good", 200, 1);
    run_until([&] { return told("good"); });
    run_until([&] { return status()["held"] == 7 && status()["waiting"] == 0; });
    EXPECT_EQ(status()["state"], "delivering");
}

// As after a stop of hours: who was refused since the last success is many, and a person wakes it.
TEST_F(Sender, AWokenWebhookGoesOnPastWhatIsRefused)
{
    answer_to = [&](const json& body) {
        return body["data"]["conversationId"].get<std::string>().starts_with("bad") ? 422 : 200;
    };
    start();
    wait_until_open();
    for (int n = 0; n < 12; ++n) put("bad" + std::to_string(n), 100 + n, 1);
    put("good", 200, 1);
    for (int wakes = 0; wakes < 20 && !told("good"); ++wakes) {
        const std::size_t before = receiver_.heard().size();
        webhooks_->wake("");
        run_until([&] { return receiver_.heard().size() > before; });
    }
    run_until([&] { return told("good"); });
}

TEST_F(Sender, OfMoreThanCanBeHeldTheOldestIsLeftOut)
{
    most_held = 3;
    answer_to = [&](const json& body) {
        return body["data"]["conversationId"].get<std::string>().starts_with("bad") ? 422 : 200;
    };
    start();
    wait_until_open();
    for (int n = 0; n < 8; ++n) {
        put("bad" + std::to_string(n), 100 + 2 * n, 1);
        put("good" + std::to_string(n), 101 + 2 * n, 1);
    }
    run_until([&] { return told("good7"); });
    run_until([&] { return status()["waiting"] == 0 && status()["givenUp"] == 5; });
    EXPECT_EQ(status()["held"], 3);
    EXPECT_EQ(status()["state"], "delivering");
}

// The one that was tried longest ago comes first: behind some that stay refused the others have their turn.
TEST_F(Sender, EachThatIsHeldHasItsTurn)
{
    std::atomic<bool> sour{true};
    answer_to = [&](const json& body) {
        const bool is_bad = body["data"]["conversationId"].get<std::string>().starts_with("bad");
        return is_bad || sour ? 422 : 200;
    };
    start();
    wait_until_open();
    for (int n = 0; n < 3; ++n) put("bad" + std::to_string(n), 100 + n, 1);
    for (int n = 0; n < 6; ++n) put("good" + std::to_string(n), 200 + n, 1);
    for (int wakes = 0; wakes < 40 && status()["waiting"] != 0; ++wakes) {
        const std::size_t before = receiver_.heard().size();
        webhooks_->wake("");
        run_until([&] { return receiver_.heard().size() > before; });
    }
    sour = false;
    webhooks_->wake("");
    run_until([&] { return status()["held"] == 3 && status()["waiting"] == 0; });
}

TEST_F(Sender, APurgeLeavesNothingToSendButAReset)
{
    std::atomic<bool> away{true};
    answer_to = [&](const json&) { return away ? 503 : 200; };
    start();
    wait_until_open();
    put("erased", 100, 1);
    put("kept", 200, 1);
    run_until([&] { return status()["failures"] > 0; });
    sync_wait(cache::purge(*store_, {{}, ConversationId{"erased"}, {}}, {}));
    const std::size_t before = receiver_.heard().size();
    away = false;
    webhooks_->wake("");
    run_until([&] { return receiver_.heard().size() > before; });
    put("later", 300, 1);
    wait_until_told();
    const auto all = bodies();
    EXPECT_EQ(all.at(before)["type"], "mirror.reset");
    for (std::size_t i = before; i < all.size(); ++i) EXPECT_NE(all[i]["data"]["conversationId"], "erased");
    EXPECT_EQ(told_of().back(), "later");
}

TEST_F(Sender, NoIdOfAPurgedConversationStaysAmongWhatIsHeld)
{
    answer_to = [&](const json& body) { return body["data"]["conversationId"] == "erased" ? 422 : 200; };
    start();
    wait_until_open();
    put("erased", 100, 1);
    run_until([&] { return status()["held"] == 1; });
    sync_wait(cache::purge(*store_, {{}, ConversationId{"erased"}, {}}, {}));
    EXPECT_EQ(status()["held"], 0);
    put("other", 200, 1);
    wait_until_told();
    EXPECT_EQ(status()["held"], 0);
}

TEST_F(Sender, GoneEndsItUntilItIsWoken)
{
    std::atomic<int> said{410};
    answer_to = [&](const json&) { return said.load(); };
    start();
    wait_until_open();
    put("a", 100, 1);
    run_until([&] { return state().life == Life::gone; });
    Json problems = Json::array();
    store_->read_outbox([&](cache::Reader& db) { add_webhook_problems(problems, db, clock_.now()); });
    EXPECT_THAT(problems.dump(), HasSubstr("410 Gone"));
    EXPECT_EQ(receiver_.heard().size(), 1U);
    said = 200;
    webhooks_->wake("another");
    EXPECT_EQ(state().life, Life::gone);
    webhooks_->wake("one");
    wait_until_told();
    EXPECT_EQ(bodies().at(0)["id"], bodies().at(1)["id"]);
}

TEST_F(Sender, AWeekOfFailuresEndsItAJumpOfTheClockDoesNot)
{
    answer_to = [](const json&) { return 503; };
    start();
    wait_until_open();
    cache::WebhookState aged = state();
    aged.failing_since = clock_.now() - std::chrono::hours(24 * 8);
    aged.tries = 3; // in so few tries only a clock makes it a week
    begin_anew_from(aged);
    put("a", 100, 1);
    run_until([&] { return state().tries > 3; });
    EXPECT_EQ(state().life, Life::alive);
    aged = state();
    aged.tries = 60;
    aged.retry_at = std::nullopt;
    begin_anew_from(aged);
    run_until([&] { return state().life == Life::dead; });
    Json problems = Json::array();
    store_->read_outbox([&](cache::Reader& db) { add_webhook_problems(problems, db, clock_.now()); });
    EXPECT_THAT(problems.dump(), HasSubstr("webhook wake"));
}

TEST_F(Sender, RetryAfterIsObeyed)
{
    std::atomic<int> said{429};
    answer_to = [&](const json&) { return said.load(); };
    more_headers = "Retry-After: 120\r\nContent-Type: text/plain\r\n";
    start();
    wait_until_open();
    put("a", 100, 1);
    run_until([&] { return state().tries == 1; });
    EXPECT_GT(*state().retry_at, clock_.now() + std::chrono::seconds(100));
}

TEST_F(Sender, OneThatIsTakenOutOfTheSettingsBeginsAnewWhenItComesBack)
{
    start();
    wait_until_open();
    stop();
    start({});
    run_until([&] { return store_->read_outbox([](cache::Reader& db) { return cache::load_webhooks(db).empty(); }); });
    put("meanwhile", 100, 1);
    stop();
    start();
    wait_until_open();
    put("later", 200, 1);
    wait_until_told();
    for (const std::string& id : told_of()) EXPECT_EQ(id, "later");
}

TEST_F(Sender, OnlyTheKindsThatAreWantedGoOut)
{
    start({endpoint(",deleted,")});
    wait_until_open();
    put("a", 100, 1);
    put("b", 200, 1);
    write([](cache::Writer& db) {
        cache::erase_conversation(db, {"a"});
        cache::note_change(db, {"a"}, cache::ChangeKind::deleted);
    });
    wait_until_told();
    ASSERT_EQ(bodies().size(), 1U);
    EXPECT_EQ(bodies()[0]["type"], "conversation.deleted");
    EXPECT_EQ(bodies()[0]["data"]["conversationId"], "a");
}

} // namespace
} // namespace alli::daemon
