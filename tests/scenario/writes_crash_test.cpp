// SPDX-License-Identifier: Apache-2.0
// Local apps write while upstream comes and goes and the daemon is killed without warning, again and again. When all
// is quiet, whatever got a 2xx was applied upstream, each conversation's in order, and both hold the same.
#include "alli/random.hpp"
#include "tests/daemon/daemon.hpp"
#include "upstream/target.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>
#include <optional>
#include <set>

namespace alli::scenario {

using daemon::Daemon;
using daemon::Home;
using nlohmann::json;
using testing::IsEmpty;
using namespace std::chrono_literals;
using Kind = sandbox::FaultRule::Kind;

/// One app, the only one that writes to its conversations, one write after the other: so their order is known. A write
/// whose answer was lost is made again, under its Idempotency-Key, until it has one.
struct App {
    struct Write {
        std::string conversation, method, path, body; // conversation: empty for a bulk update
        int number = 0;
    };

    std::string name;
    std::vector<std::string> conversations;
    std::vector<std::string> spare;                       // to be deleted
    std::map<std::string, std::vector<int>> acknowledged; // by conversation, in order; bulk updates under ""
    std::set<std::string> deleted;                        // acknowledged
    std::optional<Write> unanswered;
    int written = 0;

    Write next(const std::map<std::string, std::string>& chats, SeededRandom& random)
    {
        const std::string& id = conversations[random.below(conversations.size())];
        const ConversationId conversation{id};
        const int number = ++written;
        const std::string text = std::to_string(number);
        const auto of = [&](const char* method, std::string path, const json& body) {
            return Write{id, method, std::move(path), body.dump(), number};
        };
        switch (random.below(16)) {
        case 0:
            return {"", "POST", "/webapi/v2/conversations/bulk_update",
                    json{{"conversationIds", conversations}, {"conversationInfo", {{"assignee", name + text}}}}.dump(),
                    number};
        case 1:
            if (spare.empty()) return next(chats, random);
            return {spare.back(), "DELETE", upstream::conversation_target(ConversationId{spare.back()}), "", 0};
        case 2:
            return {id, "POST", upstream::conversation_target(conversation, "/stop"), "", 0};
        case 3:
        case 4:
        case 5:
        case 6:
            return of("POST", upstream::chat_target(conversation, ChatId{chats.at(id)}, "/feedback"),
                      {{"rating", number % 2 == 0}, {"suggestedAnswer", text}});
        case 7:
        case 8:
        case 9:
        case 10:
            return of("PATCH", upstream::conversation_target(conversation), {{"state", text}});
        default:
            return of("PUT", upstream::conversation_target(conversation, "/title"), {{"title", text}});
        }
    }

    void note(const Write& write)
    {
        if (write.number > 0) acknowledged[write.conversation].push_back(write.number);
        if (write.method != "DELETE") return;
        deleted.insert(write.conversation);
        spare.pop_back();
    }

    /// Until the daemon is gone.
    void run(std::uint16_t port, const std::map<std::string, std::string>& chats, std::uint64_t seed,
             std::atomic<int>& replies)
    {
        SeededRandom random(seed);
        for (;;) {
            if (!unanswered) unanswered = next(chats, random);
            const auto key = name + std::to_string(written) + unanswered->method;
            const auto reply =
                support::http(port, unanswered->method, unanswered->path,
                              {{"API-KEY", "sandbox"}, {"Content-Type", "application/json"}, {"Idempotency-Key", key}},
                              unanswered->body);
            if (reply.status == 0) return;
            ++replies;
            if (reply.status >= 200 && reply.status < 300) note(*unanswered);
            unanswered.reset();
        }
    }
};

static int number_in(const std::string& body)
{
    const json sent = json::parse(body, nullptr, false);
    for (const char* member : {"title", "state", "suggestedAnswer"})
        if (sent.is_object() && sent.contains(member)) return std::stoi(sent[member].get<std::string>());
    return -1;
}

static std::vector<std::vector<sandbox::FaultRule>> troubles()
{
    std::vector<std::vector<sandbox::FaultRule>> all{{}};
    for (const Kind kind : {Kind::reset_after, Kind::cut_body, Kind::not_json, Kind::too_many_retry_after,
                            Kind::unavailable_html, Kind::too_many, Kind::reset_before}) {
        all.push_back({{kind, "*", 3, 5, 0}});                     // now and then
        all.push_back({{kind, "setConversationTitle", 0, -1, 0}}); // one operation all the time
        all.push_back({{kind, "*", 0, -1, 0}});                    // away
    }
    return all;
}

static int cycles()
{
    const char* wanted = std::getenv("ALLI_CRASH_CYCLES");
    return wanted != nullptr ? std::atoi(wanted) : 100;
}

class WritesUnderFire : public testing::Test {
  protected:
    WritesUnderFire()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_PROXY_FORWARD_TIMEOUT"] = "200ms";
        home.environment["ALLI_MIRROR_OUTBOX_RETRY_INITIAL"] = "10ms";
        home.environment["ALLI_MIRROR_OUTBOX_RETRY_MAX"] = "100ms";
        const auto ids = upstream.conversation_ids();
        for (std::size_t i = 0; i < ids.size(); ++i) {
            App& app = apps[i % 3];
            app.name = "app" + std::to_string(i % 3) + "-";
            if (i < 9) chats[ids[i]] = upstream.chat_ids(ids[i]).front();
            (i < 9 ? app.conversations : app.spare).push_back(ids[i]);
        }
    }

    void burn(SeededRandom& random)
    {
        const auto all = troubles();
        upstream.set_faults(all[random.below(all.size())]);
        const auto began = std::chrono::steady_clock::now();
        Daemon daemon(home, {"serve"});
        slowest_start = std::max<std::chrono::nanoseconds>(slowest_start, std::chrono::steady_clock::now() - began);
        std::atomic<int> replies{0};
        std::vector<std::thread> threads;
        for (App& app : apps)
            threads.emplace_back([&, seed = random.next()] { app.run(daemon.port, chats, seed, replies); });
        const int moment = static_cast<int>(random.below(60));
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        while (replies < moment && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
        daemon.process.send(SIGKILL);
        EXPECT_EQ(daemon.process.wait(), 128 + SIGKILL);
        for (std::thread& thread : threads) thread.join();
    }

    /// Numbers of what upstream applied to a conversation, in its order, each as often as it was applied.
    std::vector<int> applied_to(const std::string& id) const
    {
        std::vector<int> numbers;
        for (const auto& write : upstream.writes())
            if (write.conversation_id == id && number_in(write.body) >= 0) numbers.push_back(number_in(write.body));
        return numbers;
    }

    /// Numbers of an app's bulk updates likewise.
    std::vector<int> applied_in_bulk(const App& app) const
    {
        std::vector<int> numbers;
        for (const auto& write : upstream.writes()) {
            if (write.operation != "bulkUpdateConversations") continue;
            const std::string assignee = json::parse(write.body)["conversationInfo"]["assignee"];
            if (assignee.starts_with(app.name)) numbers.push_back(std::stoi(assignee.substr(app.name.size())));
        }
        return numbers;
    }

    /// What waits is delivered, and what could not be says why. By conversation and number.
    std::set<std::pair<std::string, int>> settle(Daemon& daemon)
    {
        const auto patience = 30s + cycles() * 1s; // what waits grows with them
        const json status =
            daemon.wait_for([](const json& now) { return now.at("outbox").at("pending") == 0; }, patience);
        EXPECT_EQ(status.at("outbox").at("conflicts"), 0);
        std::set<std::pair<std::string, int>> failed;
        const auto reply = daemon.get("/mirror/v1/outbox?state=failed&limit=1000");
        EXPECT_EQ(reply.status, 200) << reply.body;
        const json list = json::parse(reply.body);
        for (const json& entry : list.at("entries")) {
            const std::string why = entry.at("lastError").is_null() ? "" : entry.at("lastError").get<std::string>();
            const auto said = daemon.get("/mirror/v1/outbox/" + entry.at("id").dump());
            EXPECT_EQ(said.status, 200) << entry << said.body;
            if (said.status != 200) continue;
            const json whole = json::parse(said.body);
            const bool stop = whole.at("path").get<std::string>().ends_with("/stop");
            // At the head of three deaths; a stop is worthless after a minute.
            EXPECT_TRUE(stop || why.find("died three times") != why.npos) << entry;
            if (!stop)
                failed.emplace(entry.at("conversationId").is_null() ? ""
                                                                    : entry.at("conversationId").get<std::string>(),
                               number_in(whole.at("request").at("body").dump()));
        }
        EXPECT_LE(failed.size(), static_cast<std::size_t>(cycles()));
        return failed;
    }

    void expect_same(const Daemon& daemon, const std::string& id) const
    {
        const auto reply = daemon.get(upstream::conversation_target(ConversationId{id}));
        ASSERT_EQ(reply.status, 200) << id << ": " << reply.body;
        const json ours = json::parse(reply.body);
        const json theirs = json::parse(upstream.conversation_json(id));
        for (const char* member : {"title", "state", "assignee"})
            EXPECT_EQ(ours.at(member), theirs.at(member)) << id << ": " << reply.body;
    }

    void expect_deleted(const Daemon& daemon, const App& app) const
    {
        const auto left = upstream.conversation_ids();
        for (const std::string& id : app.deleted) {
            EXPECT_EQ(std::count(left.begin(), left.end(), id), 0) << id;
            EXPECT_EQ(daemon.get(upstream::conversation_target(ConversationId{id})).status, 404) << id;
        }
    }

    sandbox::Sandbox upstream{daemon::small_sandbox(60)};
    Home home;
    std::array<App, 3> apps;
    std::map<std::string, std::string> chats;
    std::chrono::nanoseconds slowest_start{0};
};

// Each once and in order where a read-back can tell; what is missing failed visibly.
static void expect_delivered(const std::string& where, const std::vector<int>& acknowledged,
                             const std::vector<int>& applied, const std::set<std::pair<std::string, int>>& failed)
{
    EXPECT_TRUE(std::is_sorted(applied.begin(), applied.end())) << where << ": " << testing::PrintToString(applied);
    std::vector<int> lost;
    std::set_difference(acknowledged.begin(), acknowledged.end(), applied.begin(), applied.end(),
                        std::back_inserter(lost));
    std::erase_if(lost, [&](int number) { return failed.contains({where, number}); });
    EXPECT_THAT(lost, IsEmpty()) << where;
}

TEST_F(WritesUnderFire, AreNeitherLostNorReordered)
{
    const char* given = std::getenv("ALLI_SEED");
    const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : SystemRandom().next();
    SCOPED_TRACE("ALLI_SEED=" + std::to_string(seed));
    SeededRandom random(seed);
    for (int cycle = 0; cycle < cycles(); ++cycle) burn(random);

    upstream.set_faults({});
    Daemon daemon(home, {"serve"});
    const auto failed = settle(daemon);
    std::size_t acknowledged = 0;
    for (const App& app : apps) {
        for (const auto& [id, numbers] : app.acknowledged) {
            acknowledged += numbers.size();
            const std::vector<int> applied = id.empty() ? applied_in_bulk(app) : applied_to(id);
            expect_delivered(id, numbers, applied, failed);
            if (id.empty()) continue; // no read tells of a bulk update
            EXPECT_EQ(std::adjacent_find(applied.begin(), applied.end()), applied.end())
                << id << ": sent again though a read-back could tell: " << testing::PrintToString(applied);
            expect_same(daemon, id);
        }
        expect_deleted(daemon, app);
    }
    EXPECT_GT(acknowledged, static_cast<std::size_t>(cycles()));
    EXPECT_LT(slowest_start, 2s);
    std::printf("%d kills: %zu acknowledged, %zu failed, slowest start %.0f ms\n", cycles(), acknowledged,
                failed.size(), std::chrono::duration<double, std::milli>(slowest_start).count());
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace alli::scenario
