// SPDX-License-Identifier: Apache-2.0
// Apps that live on the change feed while upstream changes, other apps write and the daemon is killed without warning:
// whoever goes on from where he was ends with what the mirror and upstream hold, and is told nothing twice.
#include "alli/random.hpp"
#include "tests/daemon/daemon.hpp"
#include "tests/proxy/raw_client.hpp"
#include "tests/scenario/comparison.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <cstdlib>

namespace alli::scenario {

using daemon::Daemon;
using daemon::Home;
using nlohmann::json;
using namespace std::chrono_literals;
using Changes = std::optional<std::vector<json>>; // none: the daemon is gone

/// How changes come to an app. `place`: it has them through here.
class LongPoll {
  public:
    Changes next(std::uint16_t port, std::int64_t place)
    {
        const auto reply = support::http(port, "GET", "/mirror/v1/changes?wait=1&since=" + std::to_string(place));
        if (reply.status == 0 || !reply.complete) return std::nullopt;
        EXPECT_EQ(reply.status, 200) << reply.body;
        return json::parse(reply.body).at("changes").get<std::vector<json>>();
    }
};

class Events {
  public:
    Changes next(std::uint16_t port, std::int64_t place)
    {
        if (!connection_) listen(port, place);
        const std::string came = connection_->read_until("}\n\n");
        if (came.empty()) {
            connection_.reset();
            return std::nullopt;
        }
        text_ += came;
        std::vector<json> changes;
        for (auto end = text_.find('\n'); end != text_.npos; end = text_.find('\n')) {
            const std::string line = text_.substr(0, end);
            text_.erase(0, end + 1);
            EXPECT_EQ(line.find("event: reset"), line.npos);
            if (line.starts_with("data: ")) changes.push_back(json::parse(line.substr(6)));
        }
        return changes;
    }

  private:
    // As a browser comes back: the address of before, and how far it came.
    void listen(std::uint16_t port, std::int64_t place)
    {
        text_.clear();
        connection_ = std::make_unique<proxy::RawClient>(port);
        connection_->send("GET /mirror/v1/changes?since=0 HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port) +
                          "\r\nAPI-KEY: sandbox\r\nAccept: text/event-stream\r\nLast-Event-ID: " +
                          std::to_string(place) + "\r\n\r\n");
    }

    std::unique_ptr<proxy::RawClient> connection_;
    std::string text_;
};

/// Of an answer that lists the outbox.
std::map<std::int64_t, std::string> states_in(const std::string& body)
{
    std::map<std::int64_t, std::string> states;
    const json outbox = json::parse(body);
    for (const json& entry : outbox.at("entries")) states[entry.at("id")] = entry.at("state");
    return states;
}

/// An app with a copy of all that it was told of, and of nothing else.
template <class Way>
class Follower {
  public:
    std::int64_t place = 0;
    std::map<std::string, json> conversations;
    std::map<std::int64_t, std::string> writes; // their states
    std::size_t told = 0;

    /// False: the daemon is gone, and what was not read goes on waiting for the next one.
    bool follow(std::uint16_t port)
    {
        const Changes changes = way_.next(port, place);
        if (!changes) return false;
        for (const json& change : *changes) {
            const auto seq = change.at("seq").get<std::int64_t>();
            EXPECT_GT(seq, place) << "told twice: " << change;
            if (!read(port, change)) return false;
            place = seq;
            ++told;
        }
        return true;
    }

    void come_back() { way_ = Way(); }

  private:
    bool read(std::uint16_t port, const json& change)
    {
        if (change.at("kind") == "outbox") return read_outbox(port);
        const std::string id = change.at("conversationId");
        const auto reply = support::http(port, "GET", "/webapi/v2/conversations/" + encode(id));
        if (reply.status == 0 || !reply.complete) return false;
        if (reply.status == 404)
            conversations.erase(id);
        else
            conversations[id] = json::parse(reply.body);
        return true;
    }

    bool read_outbox(std::uint16_t port)
    {
        const auto reply = support::http(port, "GET", "/mirror/v1/outbox?limit=1000");
        if (reply.status == 0 || !reply.complete) return false;
        writes = states_in(reply.body);
        return true;
    }

    Way way_;
};

template <class Way>
class Feed : public testing::Test {
  protected:
    Feed()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_SYNC_INTERVAL"] = "50ms";
        home.environment["ALLI_MIRROR_SYNC_RECONCILE_INTERVAL"] = "500ms";
        home.environment["ALLI_MIRROR_OUTBOX_RETRY_INITIAL"] = "10ms";
        home.environment["ALLI_MIRROR_OUTBOX_RETRY_MAX"] = "100ms";
        home.environment["ALLI_MIRROR_PROXY_FORWARD_TIMEOUT"] = "200ms";
    }

    /// As people upstream and apps here do.
    void change_something(std::uint16_t port, SeededRandom& random)
    {
        const auto ids = upstream.conversation_ids();
        const std::string& id = ids[random.below(ids.size())];
        const std::string words = "number " + std::to_string(++changes);
        const auto dice = random.below(8);
        if (dice == 0) upstream.add_conversation(1);
        if (dice == 1 && ids.size() > 8) upstream.erase(id);
        if (dice == 2) upstream.edit_title(id, words);
        if (dice == 3 || dice == 4) upstream.add_chat(id, "USER", words);
        if (dice < 5) return;
        support::http(port, "PUT", "/webapi/v2/conversations/" + encode(id) + "/title",
                      {{"API-KEY", "sandbox"}, {"Content-Type", "application/json"}}, json{{"title", words}}.dump());
    }

    /// Killed after an answer of upstream, while the follower reads.
    void burn(SeededRandom& random)
    {
        Daemon daemon(home, {"serve"});
        const auto left = std::make_shared<std::atomic<int>>(static_cast<int>(5 + random.below(60)));
        upstream.on_answer([left, &daemon](const sandbox::RequestRecord&) { // it may be called once more, later
            if (--*left == 0) daemon.process.send(SIGKILL);
        });
        follower.come_back();
        for (bool alive = true; alive;) {
            change_something(daemon.port, random);
            alive = follower.follow(daemon.port);
        }
        upstream.on_answer({});
        EXPECT_EQ(daemon.process.wait(), 128 + SIGKILL);
    }

    std::map<std::string, json> truth() const
    {
        std::map<std::string, json> all;
        for (const std::string& id : upstream.conversation_ids()) all[id] = json::parse(upstream.conversation_json(id));
        return all;
    }

    std::map<std::int64_t, std::string> outbox(const Daemon& daemon) const
    {
        return states_in(daemon.get("/mirror/v1/outbox?limit=1000").body);
    }

    void follow_until_it_holds(const Daemon& daemon, const std::map<std::string, json>& wanted)
    {
        const auto deadline = std::chrono::steady_clock::now() + 30s;
        while (follower.conversations != wanted || follower.writes != outbox(daemon)) {
            if (follower.follow(daemon.port) && std::chrono::steady_clock::now() < deadline) continue;
            EXPECT_EQ(json(follower.conversations), json(wanted));
            EXPECT_EQ(follower.writes, outbox(daemon));
            return;
        }
    }

    /// What upstream changed meanwhile is held: a person takes it back.
    static void settle(const Daemon& daemon)
    {
        daemon.wait_for([&](const json& now) {
            for (const auto& [id, state] : states_in(daemon.get("/mirror/v1/outbox?limit=1000&state=conflict").body))
                support::http(daemon.port, "DELETE", "/mirror/v1/outbox/" + std::to_string(id));
            return now["outbox"]["pending"] == 0 && now["outbox"]["conflicts"] == 0;
        });
    }

    sandbox::Sandbox upstream{daemon::small_sandbox(12)};
    Home home;
    Follower<Way> follower;
    int changes = 0;
};

using Ways = testing::Types<LongPoll, Events>;
class WayName {
  public:
    template <class Way>
    static std::string GetName(int)
    {
        return std::is_same_v<Way, LongPoll> ? "LongPoll" : "Events";
    }
};
TYPED_TEST_SUITE(Feed, Ways, WayName);

TYPED_TEST(Feed, TellsOfAChangeUpstream)
{
    Daemon daemon(this->home, {"serve"});
    this->follow_until_it_holds(daemon, this->truth());
    const std::string id = this->upstream.conversation_ids().front();
    this->upstream.add_chat(id, "USER", "said meanwhile");
    this->follow_until_it_holds(daemon, this->truth());
    EXPECT_EQ(daemon.stop(), 0);
}

TYPED_TEST(Feed, LosesAndRepeatsNothingForWhoGoesOnAfterAKill)
{
    const char* given = std::getenv("ALLI_SEED");
    const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : SystemRandom().next();
    SCOPED_TRACE("ALLI_SEED=" + std::to_string(seed));
    SeededRandom random(seed);
    for (int cycle = 0; cycle < 8; ++cycle) this->burn(random);

    Daemon daemon(this->home, {"serve"});
    this->follower.come_back();
    this->settle(daemon);
    this->follow_until_it_holds(daemon, this->truth());
    this->RecordProperty("told", static_cast<int>(this->follower.told));
    EXPECT_EQ(daemon.stop(), 0);
}

TYPED_TEST(Feed, IsSilentAfterAStopInOrder)
{
    {
        Daemon daemon(this->home, {"serve"});
        this->follow_until_it_holds(daemon, this->truth());
        EXPECT_EQ(daemon.stop(), 0);
    }
    Daemon daemon(this->home, {"serve"});
    const auto before = this->upstream.request_count("listConversations");
    daemon.wait_for([&](const json&) { return this->upstream.request_count("listConversations") > before + 2; });
    const auto reply = daemon.get("/mirror/v1/changes?since=" + std::to_string(this->follower.place));
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(json::parse(reply.body).at("changes"), json::array());
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace alli::scenario
