// SPDX-License-Identifier: Apache-2.0
// The real daemon at ten requests a second, in the middle of a backfill, with an upstream that pushes back: what the
// sandbox sees stays within the budget, and a local app does not wait behind it.
#include "tests/daemon/daemon.hpp"
#include "tests/scenario/comparison.hpp"

#include <algorithm>
#include <thread>

namespace alli::scenario {

using daemon::Daemon;
using daemon::Home;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

static void wait_for_chat_pages(const sandbox::Sandbox& upstream, std::size_t count)
{
    const auto deadline = Clock::now() + 30s;
    while (upstream.request_count("listChats") < count) {
        ASSERT_LT(Clock::now(), deadline) << "the backfill does not get further";
        std::this_thread::yield();
    }
}

// What only upstream knows and the budget counts; what is relayed has connections of its own, outside the budget.
static std::string running_path(const Daemon& daemon)
{
    const auto list = nlohmann::json::parse(daemon.get("/webapi/v2/conversations?pageSize=1").body);
    const auto id = list.at("conversations").at(0).at("id").get<std::string>();
    return "/webapi/v2/conversations/" + encode(id) + "/running";
}

// For twelve seconds a request of a local app after every few pages; how long each took.
static std::vector<std::chrono::milliseconds> ask_meanwhile(const sandbox::Sandbox& upstream, const Daemon& daemon)
{
    const std::string path = running_path(daemon);
    std::vector<std::chrono::milliseconds> took;
    for (const auto until = Clock::now() + 12s; Clock::now() < until;) {
        wait_for_chat_pages(upstream, upstream.request_count("listChats") + 2);
        const auto asked = Clock::now();
        EXPECT_EQ(daemon.get(path).status, 200);
        took.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - asked));
    }
    return took;
}

TEST(Budget, IsKeptWhileALocalAppIsServedAtOnce)
{
    sandbox::Options options;
    options.categories_hold = sandbox::CategoriesHold::ids; // as filters do
    options.conversations = 2000;
    options.embedded_chats = 0; // each conversation costs a page of chats
    options.faults = {sandbox::parse_fault("too_many:listChats:p=0.05"),
                      sandbox::parse_fault("latency:listChats:-1:60")};
    sandbox::Sandbox upstream(options);
    Home home;
    home.use(upstream);
    home.environment["ALLI_MIRROR_UPSTREAM_REQUESTS_PER_SECOND"] = "10";
    Daemon daemon(home, {"serve"});
    const auto took = ask_meanwhile(upstream, daemon);

    const std::size_t most = upstream.busiest(10s);
    EXPECT_LE(most, 10u * 10 + 10) << "ten seconds' worth and one burst";
    EXPECT_GE(most, 50u) << "the budget is used";
    ASSERT_GE(took.size(), 10u);
    // A machine that runs other tests may hold up one in ten; the exact bound is tested on a clock of its own.
    const auto slow = std::count_if(took.begin(), took.end(), [](auto time) { return time >= 200ms; });
    EXPECT_LE(slow, std::ssize(took) / 10) << "the slowest: " << std::max_element(took.begin(), took.end())->count();
    EXPECT_EQ(daemon.stop(), 0);
}

TEST(Budget, AnUpstreamThatIsAwayCostsALocalAppNoTime)
{
    sandbox::Options options;
    options.categories_hold = sandbox::CategoriesHold::ids; // as filters do
    options.conversations = 5;
    sandbox::Sandbox upstream(options);
    Home home;
    home.use(upstream);
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    const std::string path = running_path(daemon);
    upstream.set_faults({sandbox::parse_fault("hang:*:-1:300")}); // as a connect timeout would
    std::vector<std::chrono::milliseconds> took;
    for (int i = 0; i < 30; ++i) {
        const auto asked = Clock::now();
        EXPECT_GE(daemon.get(path).status, 500);
        took.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - asked));
    }
    EXPECT_GE(took.front(), 300ms);
    EXPECT_LE(std::count_if(took.begin(), took.end(), [](auto time) { return time >= 200ms; }), 8)
        << "five failures open the breaker; then nothing waits but a probe";
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace alli::scenario
