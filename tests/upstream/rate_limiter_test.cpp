// SPDX-License-Identifier: Apache-2.0
#include "tests/upstream/pace_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace alli;
using namespace alli::upstream;
using namespace std::chrono_literals;
using testing::ElementsAre;
using upstream_test::limits;
using upstream_test::World;

TEST(RateLimiter, LetsABurstGoAndThenOneByOne)
{
    World world(2, 100);
    for (int i = 0; i < 4; ++i) world.wants(i);
    EXPECT_THAT(world.served, ElementsAre(0, 1));
    world.pass(499ms);
    EXPECT_EQ(world.served.size(), 2u);
    world.pass(2ms);
    EXPECT_THAT(world.served, ElementsAre(0, 1, 2));
    world.pass(500ms);
    EXPECT_THAT(world.served, ElementsAre(0, 1, 2, 3));
    EXPECT_EQ(world.clock.sleepers(), 0u);
}

TEST(RateLimiter, LetsOneGoWhereTheRateIsBelowOneASecond)
{
    World world(0.1, 100);
    world.wants(0);
    world.wants(1);
    EXPECT_EQ(world.served.size(), 1u);
    EXPECT_TRUE(support::run_jumping(
        world.loop, world.clock, [&] { return world.served.size() == 2; }, 3));
    EXPECT_NEAR(std::chrono::duration<double>(world.clock.passed()).count(), 10, 0.001);
}

TEST(RateLimiter, NeverExceedsItsRateOverALongTime)
{
    World world(10, 1000);
    for (int i = 0; i < 200; ++i) world.wants(i);
    ASSERT_TRUE(support::run_jumping(world.loop, world.clock, [&] { return world.served.size() == 200; }));
    // The burst aside, which goes at once.
    for (std::size_t i = 19; i < world.at.size(); ++i) EXPECT_GE(world.at[i] - world.at[i - 10], 999ms) << i;
    EXPECT_LT(world.clock.passed(), 19'100ms);
}

TEST(RateLimiter, SavesNoMoreThanABurst)
{
    World world(3, 100);
    world.pass(1h);
    for (int i = 0; i < 10; ++i) world.wants(i);
    EXPECT_EQ(world.served.size(), 3u);
}

TEST(RateLimiter, HasNoRateWhereItIsNothing)
{
    World world(0, 1000);
    for (int i = 0; i < 500; ++i) world.wants(i);
    EXPECT_EQ(world.served.size(), 500u);
    EXPECT_EQ(world.clock.passed(), 0ns);
}

TEST(RateLimiter, LimitsWhatIsUnderWay)
{
    World world(0, 2);
    auto& first = world.wants(0);
    world.wants(1);
    world.wants(2);
    EXPECT_THAT(world.served, ElementsAre(0, 1));
    world.pass(1h);
    EXPECT_EQ(world.served.size(), 2u);
    world.done(first);
    EXPECT_THAT(world.served, ElementsAre(0, 1, 2));
}

TEST(RateLimiter, ServesByPriorityAndThenByArrival)
{
    World world(0, 1);
    auto& first = world.wants(0);
    world.wants(1, Priority::reconcile);
    world.wants(2, Priority::backfill);
    world.wants(3, Priority::app);
    world.wants(4, Priority::backfill);
    world.wants(5, Priority::delivery);
    world.done(first);
    for (std::size_t i = 1; i < 6; ++i)
        world.done(*std::next(world.askers.begin(), std::vector<int>{0, 3, 5, 2, 4, 1}[i]));
    EXPECT_THAT(world.served, ElementsAre(0, 3, 5, 2, 4, 1));
}

TEST(RateLimiter, ALateAppGoesBeforeThoseWhoWaitForAToken)
{
    World world(1, 100);
    world.wants(0);
    world.wants(1, Priority::backfill);
    world.pass(500ms);
    world.wants(2, Priority::app);
    world.pass(501ms);
    EXPECT_THAT(world.served, ElementsAre(0, 2));
}

TEST(RateLimiter, ACancelledWaiterLeavesTheQueue)
{
    World world(0, 1);
    auto& first = world.wants(0);
    auto& second = world.wants(1);
    world.wants(2);
    second.cancel.emit(asio::cancellation_type::terminal);
    support::run_until_idle(world.loop);
    EXPECT_TRUE(second.canceled);
    world.done(first);
    EXPECT_THAT(world.served, ElementsAre(0, 2));
}

TEST(RateLimiter, AWaiterCancelledAsItIsServedGivesItsPlaceBack)
{
    World world(0, 1);
    auto& first = world.wants(0);
    auto& second = world.wants(1);
    world.wants(2);
    first.permit.reset(); // grants the second, which has not run yet
    second.cancel.emit(asio::cancellation_type::terminal);
    support::run_until_idle(world.loop);
    if (second.permit) world.done(second);
    EXPECT_EQ(world.served.back(), 2);
}

TEST(RateLimiter, GivesUpItsWaitersWhenItGoes)
{
    World world(1, 100);
    auto& first = world.wants(0);
    auto& second = world.wants(1);
    EXPECT_EQ(world.clock.sleepers(), 1u);
    world.pace.reset();
    support::run_until_idle(world.loop);
    EXPECT_TRUE(second.given_up);
    EXPECT_EQ(world.clock.sleepers(), 0u);
    world.done(first); // a permit may outlive it
}

TEST(RateLimiter, MayGoAfterTheLoopWithWaitersInIt)
{
    support::FakeClock clock;
    RateLimiter pace(clock, limits(1, 100));
    {
        asio::io_context loop;
        const auto take = [](RateLimiter* from) -> Task<> { co_await from->acquire(Priority::backfill); };
        for (int i = 0; i < 3; ++i) asio::co_spawn(loop, take(&pace), asio::detached);
        support::run_until_idle(loop);
        EXPECT_EQ(clock.sleepers(), 1u);
    }
    EXPECT_EQ(clock.sleepers(), 0u);
}

TEST(RateLimiter, TakesBackAPlaceThatWasGrantedToALoopThatIsGone)
{
    support::FakeClock clock;
    RateLimiter pace(clock, limits(0, 1));
    std::optional<RateLimiter::Permit> held;
    const auto take = [](RateLimiter* from, std::optional<RateLimiter::Permit>* place) -> Task<> {
        place->emplace(co_await from->acquire(Priority::app));
    };
    {
        asio::io_context loop;
        std::optional<RateLimiter::Permit> never;
        asio::co_spawn(loop, take(&pace, &held), asio::detached);
        asio::co_spawn(loop, take(&pace, &never), asio::detached);
        support::run_until_idle(loop);
        ASSERT_TRUE(held && !never);
        held.reset(); // grants the second, which does not run any more
    }
    asio::io_context next;
    asio::co_spawn(next, take(&pace, &held), asio::detached);
    support::run_until_idle(next);
    EXPECT_TRUE(held);
    held.reset();
}

} // namespace
