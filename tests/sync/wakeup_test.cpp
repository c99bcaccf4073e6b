// SPDX-License-Identifier: Apache-2.0
// A notification is heard once, whether somebody waits for it or not yet, also after a wait that was over without one.
#include "sync/loop/wakeup.hpp"
#include "tests/support/fake_clock.hpp"

#include <boost/asio/co_spawn.hpp>

#include <gtest/gtest.h>

namespace alli::sync {
namespace {

using namespace std::chrono_literals;

class WakeupTest : public testing::Test {
  protected:
    /// Whether it was heard, and after how long.
    std::pair<bool, std::chrono::nanoseconds> wait(std::chrono::seconds pause)
    {
        const auto begin = clock_.passed();
        bool heard = false, done = false;
        asio::co_spawn(loop_, wakeup_.wait(clock_, pause), [&](std::exception_ptr, bool was_heard) {
            heard = was_heard;
            done = true;
        });
        support::run_jumping(loop_, clock_, [&] { return done; });
        return {heard, clock_.passed() - begin};
    }

    const std::pair<bool, std::chrono::nanoseconds> at_once{true, 0s}, over{false, 30s};
    asio::io_context loop_;
    support::FakeClock clock_;
    Wakeup wakeup_{loop_.get_executor()};
};

TEST_F(WakeupTest, WhatCameBeforeTheWaitIsHeardOnce)
{
    wakeup_.notify();
    wakeup_.notify();
    EXPECT_EQ(wait(30s), at_once);
    EXPECT_EQ(wait(30s), over);
}

TEST_F(WakeupTest, WhatCameBetweenTwoWaitsIsHeardAlsoWhereTheFirstHeardNothing)
{
    EXPECT_EQ(wait(30s), over);
    wakeup_.notify();
    EXPECT_EQ(wait(30s), at_once);
}

TEST_F(WakeupTest, WhatComesDuringTheWaitEndsIt)
{
    EXPECT_EQ(wait(30s), over);
    asio::co_spawn(
        loop_,
        [&]() -> Task<> {
            co_await clock_.sleep(10s);
            wakeup_.notify();
        },
        [](std::exception_ptr) {});
    const std::pair<bool, std::chrono::nanoseconds> after_ten{true, 10s};
    EXPECT_EQ(wait(30s), after_ten);
    EXPECT_EQ(wait(30s), over);
}

TEST_F(WakeupTest, WhatIsTakenBackIsNotHeard)
{
    EXPECT_EQ(wait(30s), over);
    wakeup_.notify();
    wakeup_.reset();
    EXPECT_EQ(wait(30s), over);
}

} // namespace
} // namespace alli::sync
