// SPDX-License-Identifier: Apache-2.0
// What Pace does besides counting: what it keeps for local apps, the pauses, the breaker.
#include "tests/upstream/pace_world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using namespace alli;
using namespace alli::upstream;
using namespace std::chrono_literals;
using testing::Each;
using testing::HasSubstr;
using testing::Le;
using upstream_test::outcome;
using upstream_test::World;
using Kind = Outcome::Kind;

Outcome asks_to_wait(Kind kind, std::chrono::milliseconds wait)
{
    Outcome made = outcome(kind, "upstream answered 429");
    made.retry_after = wait;
    return made;
}

// A backfill that always wants more than it gets: every request takes `each`, and the next one asks at once.
struct Backfill {
    Backfill(World& its_world, std::chrono::nanoseconds its_each, int width) : world(its_world), each(its_each)
    {
        for (int i = 0; i < width; ++i) asio::co_spawn(world.loop, run(this), asio::detached);
    }
    static Task<> run(Backfill* self)
    {
        for (;;) {
            RateLimiter::Permit permit = co_await self->world.pace->acquire(Priority::backfill);
            self->went.push_back(self->world.clock.passed());
            co_await self->world.clock.sleep(self->each);
            Outcome fine;
            fine.success = true;
            fine.call = CallKind::list;
            fine.elapsed = self->each;
            permit.settle(fine);
        }
    }
    World& world;
    std::chrono::nanoseconds each;
    std::vector<std::chrono::nanoseconds> went;
};

TEST(Budget, AnAppDoesNotWaitBehindARunningBackfill)
{
    for (const auto each : {1ms, 80ms, 700ms, 30'000ms}) {
        SCOPED_TRACE(each.count());
        World world(10, 4);
        Backfill backfill(world, each, 8);
        std::vector<std::chrono::milliseconds> waited;
        for (int i = 0; i < 300; ++i) {
            for (int step = 0; step < 37; ++step) world.pass(10ms);
            const auto asked = world.clock.passed();
            auto& app = world.wants(i, Priority::app);
            while (!app.permit) world.pass(1ms);
            waited.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(world.clock.passed() - asked));
            world.done(app, outcome(Kind::answered));
        }
        EXPECT_THAT(waited, Each(Le(0ms)));
        EXPECT_GT(backfill.went.size(), each > 1s ? 5u : 300u);
    }
}

TEST(Budget, AHandfulOfAppsAtOnceWaitNoLongerThanTheirOwnTokens)
{
    World world(10, 10);
    Backfill backfill(world, 1ms, 8);
    for (int i = 0; i < 500; ++i) world.pass(10ms);
    std::vector<World::Asker*> apps;
    for (int i = 0; i < 5; ++i) apps.push_back(&world.wants(i, Priority::app));
    world.pass(199ms);
    for (auto* app : apps) EXPECT_TRUE(app->permit);
}

TEST(Budget, WhatIsKeptForAppsCostsABackfillNothingInTheLongRun)
{
    World world(10, 4);
    Backfill backfill(world, 1ms, 8);
    for (int i = 0; i < 10'000; ++i) world.pass(10ms);
    EXPECT_GE(backfill.went.size(), 1000u);
    EXPECT_LE(backfill.went.size(), 1010u);
}

TEST(Budget, NoTenSecondsSeeMoreThanTheRateAndABurst)
{
    World world(10, 4);
    Backfill backfill(world, 1ms, 8);
    SeededRandom random(5);
    std::vector<std::chrono::nanoseconds> all;
    for (int i = 0; i < 12'000; ++i) {
        world.pass(5ms);
        if (i % 2000 > 1000) continue; // a full bucket now and then
        if (random.below(10) != 0) continue;
        auto& app = world.wants(i, Priority::app);
        while (!app.permit) world.pass(5ms);
        all.push_back(world.clock.passed());
        world.done(app, random.below(5) == 0 ? outcome(Kind::throttled) : outcome(Kind::answered));
    }
    all.insert(all.end(), backfill.went.begin(), backfill.went.end());
    std::sort(all.begin(), all.end());
    ASSERT_GT(all.size(), 300u);
    for (std::size_t i = 110; i < all.size(); ++i) EXPECT_GT(all[i] - all[i - 110], 9990ms);
}

TEST(Budget, ASmallBucketStillServesTheLowest)
{
    for (const double rate : {0.1, 0.5, 1.0, 1.5, 3.0}) {
        World world(rate, 2);
        for (int i = 0; i < 3; ++i) {
            world.tries(outcome(Kind::answered), Priority::reconcile);
            world.pass(21s);
        }
        EXPECT_EQ(world.pace->state().sent[4], 3u) << rate;
    }
}

TEST(Budget, AnAppMayUseThePlaceThatIsKept)
{
    World world(0, 2);
    auto& reconcile = world.wants(0, Priority::reconcile);
    auto& next = world.wants(1, Priority::delivery);
    EXPECT_TRUE(reconcile.permit && !next.permit);
    auto& app = world.wants(2, Priority::app);
    EXPECT_TRUE(app.permit && !next.permit);
    world.done(app);
    EXPECT_FALSE(next.permit);
    world.done(reconcile);
    EXPECT_TRUE(next.permit);
}

TEST(Budget, EverybodyWaitsAsLongAsUpstreamAsks)
{
    World world(0, 4);
    world.tries(asks_to_wait(Kind::throttled, 900ms));
    auto& app = world.wants(0, Priority::app);
    auto& backfill = world.wants(1, Priority::backfill);
    EXPECT_EQ(world.pace->state().retry_after, 900ms);
    world.pass(899ms);
    EXPECT_FALSE(app.permit || backfill.permit);
    world.pass(2ms);
    EXPECT_TRUE(app.permit && backfill.permit);
    EXPECT_EQ(world.pace->state().retry_after, 0ms);
}

TEST(Budget, AnAppDoesNotWaitForALongPause)
{
    World world(0, 4);
    auto& first = world.wants(0, Priority::increment);
    world.tries(asks_to_wait(Kind::overloaded, 60s));
    auto& app = world.wants(1, Priority::app);
    ASSERT_TRUE(app.refused);
    EXPECT_EQ(app.refused->fault(), Fault::unavailable);
    EXPECT_STREQ(app.refused->what(), "upstream asked to be left alone for another 60 s");
    auto& backfill = world.wants(2, Priority::backfill);
    world.done(first);
    world.pass(60s + 1ms);
    EXPECT_TRUE(backfill.permit);
}

TEST(Budget, NobodyWaitsForAnHourAndThoseWhoAlreadyWaitAreTold)
{
    World world(0, 2);
    auto& first = world.wants(0, Priority::increment);
    auto& waiting = world.wants(1, Priority::backfill);
    EXPECT_FALSE(waiting.permit);
    world.done(first, asks_to_wait(Kind::throttled, 1h));
    ASSERT_TRUE(waiting.refused);
    EXPECT_THAT(waiting.refused->what(), HasSubstr("3600 s"));
    EXPECT_TRUE(world.wants(2, Priority::increment).refused);
    world.pass(1h);
    EXPECT_TRUE(world.wants(3, Priority::app).permit);
}

TEST(Budget, APushBackWithoutAPauseHoldsAllButAppsForAWhile)
{
    World world(0, 4);
    for (int i = 0; i < 8; ++i) {
        world.tries(outcome(Kind::throttled));
        world.pass(16s);
    }
    world.tries(outcome(Kind::throttled));
    auto& delivery = world.wants(0, Priority::delivery);
    auto& app = world.wants(1, Priority::app);
    EXPECT_TRUE(app.permit);
    world.done(app);
    EXPECT_FALSE(delivery.permit);
    world.pass(15s);
    EXPECT_TRUE(delivery.permit);
    EXPECT_EQ(world.pace->state().pushed_back, 9u);
    EXPECT_EQ(world.pace->state().limit, 1);
}

TEST(Budget, FailuresInARowTurnEverybodyAwayAtOnce)
{
    World world(0, 4);
    auto& early = world.wants(0, Priority::increment);
    for (int i = 0; i < 4; ++i) world.tries(outcome(Kind::unreachable, "cannot reach it: no connection"));
    auto& second = world.wants(1, Priority::increment);
    auto& third = world.wants(2, Priority::increment);
    auto& waiting = world.wants(3, Priority::backfill);
    EXPECT_FALSE(waiting.permit || waiting.refused);
    world.done(second, outcome(Kind::unreachable, "cannot reach it: no connection"));
    ASSERT_TRUE(waiting.refused);
    EXPECT_EQ(waiting.refused->fault(), Fault::unreachable);
    auto& app = world.wants(4, Priority::app);
    ASSERT_TRUE(app.refused);
    EXPECT_THAT(app.refused->what(), HasSubstr("cannot reach it: no connection (it failed several times in a row"));
    EXPECT_EQ(world.pace->state().breaker, Breaker::State::open);
    EXPECT_GE(world.pace->state().probe_in, 5s);
    world.done(third);
    world.done(early);
}

TEST(Budget, ServerErrorsTripTheBreakerTooAndPushBacksDoNot)
{
    World world(0, 4);
    for (int i = 0; i < 20; ++i) world.tries(outcome(Kind::throttled), Priority::app);
    EXPECT_EQ(world.pace->state().breaker, Breaker::State::closed);
    for (int i = 0; i < 20; ++i) world.tries(outcome(Kind::unreadable), Priority::app);
    EXPECT_EQ(world.pace->state().breaker, Breaker::State::closed);
    for (int i = 0; i < 5; ++i) world.tries(outcome(Kind::failed, "upstream answered 500"), Priority::app);
    auto& app = world.wants(0, Priority::app);
    ASSERT_TRUE(app.refused);
    EXPECT_EQ(app.refused->fault(), Fault::unavailable);
}

// Two conversations that upstream cannot answer for would keep everybody away for ever.
TEST(Budget, WhatFailsForOneConversationTripsNoBreaker)
{
    for (const CallKind call : {CallKind::single, CallKind::chats}) {
        World world(0, 4);
        const auto ends = [&](Kind kind) {
            Outcome made = outcome(kind, "upstream answered 500");
            made.call = call;
            return made;
        };
        for (int i = 0; i < 4; ++i) world.tries(outcome(Kind::failed, "upstream answered 500"));
        for (int i = 0; i < 20; ++i) world.tries(ends(Kind::failed));
        EXPECT_EQ(world.pace->state().breaker, Breaker::State::closed);
        world.tries(outcome(Kind::failed, "upstream answered 500"));
        EXPECT_EQ(world.pace->state().breaker, Breaker::State::open) << "nor does it make good what lists said";

        world.pass(world.pace->state().probe_in);
        world.tries(ends(Kind::failed));
        EXPECT_EQ(world.pace->state().breaker, Breaker::State::open) << "the probe's word is the only one there is";
    }
}

TEST(Budget, OverloadAndSilenceTripTheBreakerWhateverWasAskedFor)
{
    for (const Kind kind : {Kind::overloaded, Kind::unreachable}) {
        World world(0, 4);
        Outcome of_one = outcome(kind, "gone");
        of_one.call = CallKind::chats;
        for (int i = 0; i < 5; ++i) world.tries(of_one, Priority::app);
        EXPECT_EQ(world.pace->state().breaker, Breaker::State::open);
    }
}

struct Tripped : World {
    Tripped() : World(0, 4)
    {
        for (int i = 0; i < 5; ++i) tries(outcome(Kind::unreachable, "gone"));
    }
};

TEST(Budget, OneProbeGoesAndItsAnswerLetsEverybodyGo)
{
    Tripped world;
    world.pass(10s);
    auto& probe = world.wants(0, Priority::backfill);
    ASSERT_TRUE(probe.permit);
    EXPECT_TRUE(world.wants(1, Priority::increment).refused);
    EXPECT_TRUE(world.wants(2, Priority::app).refused);
    world.done(probe, outcome(Kind::answered));
    EXPECT_TRUE(world.wants(3, Priority::app).permit);
    EXPECT_EQ(world.pace->state().times_opened, 1u);
}

TEST(Budget, AProbeThatFailsLengthensThePause)
{
    Tripped world;
    world.pass(10s);
    world.tries(outcome(Kind::unreachable, "gone"));
    EXPECT_EQ(world.pace->state().breaker, Breaker::State::open);
    EXPECT_EQ(world.pace->state().times_opened, 2u);
    EXPECT_TRUE(world.wants(0, Priority::increment).refused);
}

TEST(Budget, AProbeThatIsCancelledOrForgottenLetsTheNextOneTry)
{
    Tripped world;
    world.pass(10s);
    auto& forgotten = world.wants(0, Priority::increment);
    ASSERT_TRUE(forgotten.permit);
    world.done(forgotten);
    auto& next = world.wants(1, Priority::increment);
    ASSERT_TRUE(next.permit);
    world.done(next, outcome(Kind::answered));
    EXPECT_EQ(world.pace->state().breaker, Breaker::State::closed);
}

TEST(Budget, AProbeThatIsCancelledWhileItWaitsLetsTheNextOneTry)
{
    World world(0, 2);
    auto& holds = world.wants(0, Priority::increment);
    for (int i = 0; i < 5; ++i) world.tries(outcome(Kind::unreachable, "gone"), Priority::app);
    world.pass(10s);
    auto& probe = world.wants(1, Priority::increment);
    ASSERT_FALSE(probe.permit || probe.refused) << "it waits for a place";
    probe.cancel.emit(asio::cancellation_type::terminal);
    support::run_until_idle(world.loop);
    EXPECT_TRUE(probe.canceled);
    world.done(holds);
    EXPECT_TRUE(world.wants(2, Priority::increment).permit);
}

TEST(Budget, APersonWhoAsksGetsAProbe)
{
    Tripped world;
    EXPECT_TRUE(world.wants(0, Priority::increment).refused);
    world.pace->wake();
    auto& probe = world.wants(1, Priority::app);
    ASSERT_TRUE(probe.permit);
    world.done(probe, outcome(Kind::answered));
    EXPECT_TRUE(world.wants(2, Priority::increment).permit);
}

TEST(Budget, ShowsItsState)
{
    World world(10, 4);
    auto& app = world.wants(0, Priority::app);
    for (int i = 1; i < 6; ++i) world.wants(i, Priority::backfill);
    RateLimiter::State state = world.pace->state();
    EXPECT_DOUBLE_EQ(state.tokens, 7);
    EXPECT_EQ(state.requests_per_second, 10);
    EXPECT_EQ(state.limit, 4);
    EXPECT_EQ(state.most, 4);
    EXPECT_EQ(state.in_flight, 3) << "one place is kept";
    EXPECT_EQ(state.waiting[static_cast<std::size_t>(Priority::backfill)], 3);
    EXPECT_EQ(state.sent[static_cast<std::size_t>(Priority::app)], 1u);
    world.done(app);
    world.pass(100ms);
    state = world.pace->state();
    EXPECT_DOUBLE_EQ(state.tokens, 7) << "one went, one came";
    EXPECT_EQ(state.waiting[static_cast<std::size_t>(Priority::backfill)], 2);
}

} // namespace
