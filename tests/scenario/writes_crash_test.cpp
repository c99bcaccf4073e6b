// SPDX-License-Identifier: Apache-2.0
// Local apps write while upstream comes and goes and the daemon is killed without warning, again and again. When all
// is quiet, whatever got a 2xx was applied upstream, each conversation's in order, and both hold the same.
#include "alli/random.hpp"
#include "tests/daemon/daemon.hpp"
#include "upstream/target.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>

namespace alli::scenario {

using daemon::Daemon;
using daemon::Home;
using nlohmann::json;
using testing::IsEmpty;
using namespace std::chrono_literals;
using Kind = sandbox::FaultRule::Kind;

/// One app, the only one that writes to its conversations, one write after the other: so their order is known.
struct App {
    std::vector<std::string> conversations;
    std::map<std::string, std::vector<int>> acknowledged; // by conversation, in order
    int written = 0;

    struct Write {
        std::string method, path, body;
    };

    static Write write_of(const std::string& id, const std::string& chat, int number, std::uint64_t dice)
    {
        const ConversationId conversation{id};
        const std::string text = std::to_string(number);
        if (dice % 3 == 0)
            return {"POST", upstream::chat_target(conversation, ChatId{chat}, "/feedback"),
                    json{{"rating", number % 2 == 0}, {"suggestedAnswer", text}}.dump()};
        if (dice % 3 == 1) return {"PATCH", upstream::conversation_target(conversation), json{{"state", text}}.dump()};
        return {"PUT", upstream::conversation_target(conversation, "/title"), json{{"title", text}}.dump()};
    }

    /// Until the daemon is gone.
    void run(std::uint16_t port, const std::map<std::string, std::string>& chats, std::uint64_t seed,
             std::atomic<int>& replies)
    {
        SeededRandom random(seed);
        for (;;) {
            const std::string& id = conversations[random.below(conversations.size())];
            const int number = ++written;
            const Write write = write_of(id, chats.at(id), number, random.next());
            const auto reply =
                support::http(port, write.method, write.path,
                              {{"API-KEY", "sandbox"}, {"Content-Type", "application/json"}}, write.body);
            if (reply.status == 0) return;
            ++replies;
            if (reply.status >= 200 && reply.status < 300) acknowledged[id].push_back(number);
        }
    }
};

static int number_in(const std::string& body)
{
    const json sent = json::parse(body);
    for (const char* name : {"title", "state", "suggestedAnswer"})
        if (sent.contains(name)) return std::stoi(sent[name].get<std::string>());
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
    return wanted != nullptr ? std::atoi(wanted) : 20;
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
        for (std::size_t i = 0; i < 9; ++i) {
            apps[i % 3].conversations.push_back(ids[i]);
            chats[ids[i]] = upstream.chat_ids(ids[i]).front();
        }
    }

    void burn(SeededRandom& random)
    {
        const auto all = troubles();
        upstream.set_faults(all[random.below(all.size())]);
        Daemon daemon(home, {"serve"});
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

    /// Numbers of what upstream applied to a conversation, in its order; the same write twice in a row once.
    std::vector<int> applied_to(const std::string& id) const
    {
        std::vector<int> numbers;
        for (const auto& write : upstream.writes())
            if (write.conversation_id == id && (numbers.empty() || numbers.back() != number_in(write.body)))
                numbers.push_back(number_in(write.body));
        return numbers;
    }

    sandbox::Sandbox upstream{daemon::small_sandbox(12)};
    Home home;
    std::array<App, 3> apps;
    std::map<std::string, std::string> chats;
};

TEST_F(WritesUnderFire, AreNeitherLostNorReordered)
{
    const char* given = std::getenv("ALLI_SEED");
    const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : SystemRandom().next();
    SCOPED_TRACE("ALLI_SEED=" + std::to_string(seed));
    SeededRandom random(seed);
    for (int cycle = 0; cycle < cycles(); ++cycle) burn(random);

    upstream.set_faults({});
    Daemon daemon(home, {"serve"});
    const auto patience = 30s + cycles() * 1s; // what waits grows with them
    const json status = daemon.wait_for([](const json& now) { return now["outbox"]["pending"] == 0; }, patience);
    EXPECT_EQ(status["outbox"]["conflicts"], 0);
    std::set<std::pair<std::string, int>> failed; // visibly: each was at the head of three deaths
    const json list = json::parse(daemon.get("/mirror/v1/outbox?state=failed&limit=1000").body);
    for (const json& entry : list["entries"]) {
        EXPECT_THAT(entry["lastError"].get<std::string>(), testing::HasSubstr("died three times"));
        const json whole = json::parse(daemon.get("/mirror/v1/outbox/" + entry["id"].dump()).body);
        failed.emplace(entry["conversationId"], number_in(whole["request"]["body"].dump()));
    }
    std::size_t acknowledged = 0;
    for (const App& app : apps)
        for (const auto& [id, numbers] : app.acknowledged) {
            acknowledged += numbers.size();
            const std::vector<int> applied = applied_to(id);
            EXPECT_TRUE(std::is_sorted(applied.begin(), applied.end()))
                << id << ": " << testing::PrintToString(applied);
            std::vector<int> lost;
            std::set_difference(numbers.begin(), numbers.end(), applied.begin(), applied.end(),
                                std::back_inserter(lost));
            std::erase_if(lost, [&](int number) { return failed.contains({id, number}); });
            EXPECT_THAT(lost, IsEmpty()) << id;
            const json ours = json::parse(daemon.get(upstream::conversation_target(ConversationId{id})).body);
            const json theirs = json::parse(upstream.conversation_json(id));
            EXPECT_EQ(ours["title"], theirs["title"]) << id;
            EXPECT_EQ(ours["state"], theirs["state"]) << id;
        }
    EXPECT_GT(acknowledged, static_cast<std::size_t>(cycles()));
    RecordProperty("acknowledged", static_cast<int>(acknowledged));
    RecordProperty("failed", static_cast<int>(failed.size()));
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace alli::scenario
