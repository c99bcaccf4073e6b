// SPDX-License-Identifier: Apache-2.0
// Killed without warning in the middle of a backfill and started again, the daemon ends with the same mirror and has
// fetched again at most what was under way.
#include "tests/daemon/daemon.hpp"
#include "tests/scenario/comparison.hpp"

#include <gmock/gmock.h>

#include <csignal>
#include <thread>

namespace alli::scenario {

using daemon::Daemon;
using daemon::Home;
using testing::IsEmpty;
using namespace std::chrono_literals;

static std::size_t backfill_pages(const sandbox::Sandbox& upstream)
{
    std::size_t pages = 0;
    for (const auto& request : upstream.requests())
        if (request.target.find("endAt=") != std::string::npos &&
            request.target.find("startedAt=") == std::string::npos)
            ++pages;
    return pages;
}

static void wait_for_requests(const sandbox::Sandbox& upstream, std::size_t count)
{
    const auto deadline = std::chrono::steady_clock::now() + 30s;
    while (upstream.request_count("listConversations") < count) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "the backfill does not get further";
        std::this_thread::yield();
    }
}

TEST(Killed, InTheMiddleOfABackfillItGoesOnWhereItWas)
{
    sandbox::Options options;
    options.categories_hold = sandbox::CategoriesHold::ids; // as filters do
    options.conversations = 1000;
    options.embedded_chats = 20;
    sandbox::Sandbox upstream(options);
    const Truth truth(upstream, {50});
    Home home;
    home.use(upstream);
    upstream.clear_log();
    upstream.set_faults({{sandbox::FaultRule::Kind::latency, "listConversations", 0, -1, 10}});

    int kills = 0;
    for (const std::size_t moment : {1U, 4U, 9U, 14U}) {
        Daemon daemon(home, {"serve"});
        wait_for_requests(upstream, moment);
        daemon.process.send(SIGKILL);
        EXPECT_EQ(daemon.process.wait(), 128 + SIGKILL);
        ++kills;
    }
    Daemon daemon(home, {"serve"});
    daemon.wait_until_complete();
    const std::size_t least = 1000 * 50 / 49 / 50 + 2; // a page brings 49 new ones: the edge comes twice
    EXPECT_LE(backfill_pages(upstream), least + static_cast<std::size_t>(kills));
    EXPECT_THAT(truth.differences(daemon.port), IsEmpty());
    EXPECT_EQ(daemon.stop(), 0);
}

} // namespace alli::scenario
