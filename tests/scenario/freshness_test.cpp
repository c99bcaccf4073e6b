// SPDX-License-Identifier: Apache-2.0
// How long until a local app sees through the proxy what changed upstream: a new chat within an interval and a second,
// an edit that no clock shows within one round of the comparison.
#include "tests/daemon/daemon.hpp"
#include "tests/scenario/comparison.hpp"

#include <algorithm>
#include <thread>

namespace alli::scenario {

using daemon::Daemon;
using daemon::Home;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

class Freshness : public testing::Test {
  protected:
    static sandbox::Options options()
    {
        sandbox::Options options;
        options.categories_hold = sandbox::CategoriesHold::ids; // as filters do
        options.conversations = 120;
        return options;
    }

    Freshness()
    {
        home_.use(upstream_);
        home_.environment["ALLI_MIRROR_SYNC_INTERVAL"] = "2s";
        home_.environment["ALLI_MIRROR_SYNC_OVERLAP"] = "1s";
    }

    static std::vector<std::string> oldest(const Daemon& daemon)
    {
        std::vector<std::string> ids;
        const auto listed = daemon.get("/webapi/v2/conversations?order=LAST_CHAT_TIME_ASC").body;
        const auto parsed = nlohmann::json::parse(listed);
        for (const auto& conversation : parsed["conversations"]) ids.push_back(conversation["id"]);
        return ids;
    }

    static std::chrono::milliseconds until_seen(const Daemon& daemon, const std::string& id, const std::string& words)
    {
        const auto changed = Clock::now();
        while (daemon.get("/webapi/v2/conversations/" + encode(id)).body.find(words) == std::string::npos) {
            if (Clock::now() - changed > 30s) {
                ADD_FAILURE() << words << " never came";
                break;
            }
            std::this_thread::yield();
        }
        return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - changed);
    }

    /// Of several: what a busy machine holds up once is not what upstream's users see.
    static std::chrono::milliseconds median(std::vector<std::chrono::milliseconds> times)
    {
        std::nth_element(times.begin(), times.begin() + std::ssize(times) / 2, times.end());
        return times[times.size() / 2];
    }

    sandbox::Sandbox upstream_{options()};
    Home home_;
};

TEST_F(Freshness, ShowsAChangeWithinAnIntervalAndASecond)
{
    Daemon daemon(home_, {"serve"});
    daemon.wait_until_complete();
    const auto ids = oldest(daemon);
    std::vector<std::chrono::milliseconds> took;
    for (std::size_t n = 0; n < 5; ++n) {
        const std::string words = "said meanwhile " + std::to_string(n);
        upstream_.add_chat(ids[n], "USER", words);
        took.push_back(until_seen(daemon, ids[n], words));
    }
    RecordProperty("slowest_ms", static_cast<int>(std::max_element(took.begin(), took.end())->count()));
    EXPECT_LE(median(took), 3000ms);
    EXPECT_EQ(daemon.stop(), 0);
}

TEST_F(Freshness, ShowsASilentEditWithinOneRoundOfTheComparison)
{
    home_.environment["ALLI_MIRROR_SYNC_RECONCILE_INTERVAL"] = "4s";
    Daemon daemon(home_, {"serve"});
    daemon.wait_until_complete();
    const auto ids = oldest(daemon);
    std::vector<std::chrono::milliseconds> took;
    for (std::size_t n = 0; n < 3; ++n) {
        const std::string words = "edited in silence " + std::to_string(n);
        upstream_.edit_title(ids[n], words);
        took.push_back(until_seen(daemon, ids[n], words));
    }
    RecordProperty("slowest_ms", static_cast<int>(std::max_element(took.begin(), took.end())->count()));
    EXPECT_LE(median(took), 4000ms + 1000ms);
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace alli::scenario
