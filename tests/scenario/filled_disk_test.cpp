// SPDX-License-Identifier: Apache-2.0
// A disk that is filled and emptied at random while the program starts, fills its mirror, takes writes, checks, copies
// and purges. It may refuse, and end with an error; it acknowledges nothing that is lost, and goes on when there is
// room. ALLI_SEED repeats a run; ALLI_DISK_ROUNDS (20).
#include "tests/daemon/daemon.hpp"
#include "tests/scenario/small_disk.hpp"
#include "tests/support/draws.hpp"
#include "upstream/target.hpp"

#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>
#include <optional>

namespace alli::scenario {

using daemon::Daemon;
using daemon::Home;
using nlohmann::json;

namespace {

/// Fills the disk but for a few blocks and empties it, again and again, until it goes.
class Filler {
  public:
    Filler(const SmallDisk& disk, std::uint64_t seed) : thread_([this, &disk, seed] { run(disk, seed); }) {}
    ~Filler()
    {
        {
            const std::lock_guard lock(mutex_);
            over_ = true;
        }
        change_.notify_one();
        thread_.join();
    }
    Filler(const Filler&) = delete;
    Filler& operator=(const Filler&) = delete;

  private:
    void run(const SmallDisk& disk, std::uint64_t seed)
    {
        SeededRandom random(seed);
        std::unique_lock lock(mutex_);
        while (!over_) {
            disk.fill(random.below(40));
            change_.wait_for(lock, std::chrono::milliseconds(random.below(60)), [this] { return over_; });
            disk.free();
            change_.wait_for(lock, std::chrono::milliseconds(random.below(30)), [this] { return over_; });
        }
    }

    std::mutex mutex_;
    std::condition_variable change_;
    bool over_ = false;
    std::thread thread_; // last: it uses the others
};

} // namespace

class FilledDisk : public testing::Test, public support::Draws {
  protected:
    FilledDisk()
    {
        home.use(upstream);
        home.environment["ALLI_MIRROR_OUTBOX_RETRY_MAX"] = "200ms";
        ids = upstream.conversation_ids();
    }

    static int rounds()
    {
        const char* asked = std::getenv("ALLI_DISK_ROUNDS");
        return asked != nullptr ? std::atoi(asked) : 20;
    }
    std::uint64_t below(std::uint64_t end) { return random_.below(end); }

    int write(const Daemon& daemon)
    {
        const std::string& id = ids[below(4)];
        const std::string state = std::to_string(++number);
        const auto reply = support::http(daemon.port, "PATCH", upstream::conversation_target(ConversationId{id}),
                                         {{"API-KEY", "sandbox"}}, json{{"state", state}}.dump());
        if (reply.status >= 200 && reply.status < 300) acknowledged[id].push_back(number);
        return reply.status;
    }

    // A command may fail for want of room; it never ends by a signal.
    void run(std::vector<std::string> words)
    {
        const auto done = home.run(words);
        EXPECT_LT(done.code, 128) << words.front() << ": " << done.errors;
        EXPECT_TRUE(done.code == 0 || !(done.errors + done.output).empty()) << words.front();
    }

    void act(const Daemon& daemon)
    {
        switch (below(8)) {
        case 0:
            return run({"verify"});
        case 1:
            std::filesystem::remove_all(copy());
            return run({"backup", copy()});
        case 2:
            return run({"purge", "--conversation", ids[ids.size() - 1 - below(4)], "--yes"});
        case 3:
            upstream.add_chat(ids[4 + below(4)], "user", std::string(3000, 'y'));
            return;
        default:
            write(daemon);
        }
    }

    // None: it could not start, and said why.
    std::unique_ptr<Daemon> start()
    {
        try {
            return std::make_unique<Daemon>(home, std::vector<std::string>{"serve"});
        } catch (const std::runtime_error& failure) {
            EXPECT_THAT(failure.what(), testing::AnyOf(testing::HasSubstr("room"), testing::HasSubstr("full"),
                                                       testing::HasSubstr("No space")));
            return nullptr;
        }
    }

    void round()
    {
        if (below(3) == 0) // everything is fetched again
            for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(home.mirror() + end);
        if (below(2) == 0) upstream.set_faults({{sandbox::FaultRule::Kind::unavailable_html}});
        std::unique_ptr<Daemon> daemon;
        {
            std::optional<Filler> filler;
            if (below(2) == 0) filler.emplace(disk, below(1'000'000));
            daemon = start();
            if (!filler) filler.emplace(disk, below(1'000'000));
            for (int i = 0; daemon && i < 12; ++i) act(*daemon);
        }
        disk.free();
        upstream.set_faults({});
        if (daemon && daemon->get("/healthz").status == 0) {
            const int code = daemon->process.wait();
            EXPECT_TRUE(code > 0 && code < 128) << code << ": " << daemon->process.errors();
            daemon.reset();
        }
        if (!daemon) daemon = start();
        ASSERT_TRUE(daemon);
        daemon->wait_for([](const json& now) { return now["disk"]["full"] == false; });
        EXPECT_EQ(write(*daemon) / 100, 2);
        EXPECT_EQ(daemon->stop(), 0);
    }

    std::string copy() const { return std::filesystem::path(home.mirror()).parent_path() / "copy"; }

    sandbox::Sandbox upstream{daemon::small_sandbox(40)};
    Home home;
    SmallDisk disk{std::filesystem::path(home.mirror()).parent_path(), "size=12m"};
    std::vector<std::string> ids;
    std::map<std::string, std::vector<int>> acknowledged;
    int number = 0;
};

TEST_F(FilledDisk, AtAnyMomentLosesNothingThatWasAcknowledged)
{
    if (!disk.mounted()) GTEST_SKIP() << "this user may not mount a small file system";
    SCOPED_TRACE("ALLI_SEED=" + std::to_string(seed_));
    for (int n = 0; n < rounds() && !HasFatalFailure(); ++n) round();

    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    const json status = daemon.wait_for([](const json& now) { return now["outbox"]["pending"] == 0; });
    EXPECT_EQ(status["outbox"]["failed"], 0) << status;
    std::map<std::string, std::vector<int>> applied;
    for (const auto& write : upstream.writes())
        applied[write.conversation_id].push_back(std::stoi(json::parse(write.body)["state"].get<std::string>()));
    for (const auto& [id, numbers] : acknowledged) {
        EXPECT_TRUE(std::is_sorted(applied[id].begin(), applied[id].end()));
        EXPECT_THAT(applied[id], testing::IsSupersetOf(numbers)) << id;
    }
    EXPECT_EQ(daemon.stop(), 0);
    EXPECT_EQ(home.run({"verify"}).code, 0) << home.run({"verify"}).output;
}

} // namespace alli::scenario
