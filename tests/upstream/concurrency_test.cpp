// SPDX-License-Identifier: Apache-2.0
#include "alli/random.hpp"
#include "upstream/concurrency.hpp"

#include <gtest/gtest.h>

namespace {

using namespace alli;
using namespace alli::upstream;
using namespace std::chrono_literals;

struct ConcurrencyTest : testing::Test {
    void answer(std::chrono::nanoseconds took, CallKind call = CallKind::list, std::size_t bytes = 100'000)
    {
        Outcome outcome;
        outcome.success = true;
        outcome.call = call;
        outcome.bytes = bytes;
        outcome.elapsed = took;
        const auto started = now;
        now += took;
        limits.answered(outcome, true, started, now);
    }
    bool push_back() { return limits.pushed_back(now, now); }

    Concurrency limits{16};
    Clock::Steady now{1h};
};

TEST_F(ConcurrencyTest, BeginsWithAllOfIt)
{
    EXPECT_EQ(limits.limit(), 16);
    EXPECT_EQ(Concurrency(0).limit(), 1);
}

TEST_F(ConcurrencyTest, HalvesWhenPushedBackAndNeverDropsBelowOne)
{
    for (const int expected : {8, 4, 2, 1, 1, 1}) {
        now += 1s;
        EXPECT_TRUE(push_back());
        EXPECT_EQ(limits.limit(), expected);
    }
}

TEST_F(ConcurrencyTest, CountsThoseUnderWayTogetherOnce)
{
    const auto together = now;
    now += 1s;
    EXPECT_TRUE(limits.pushed_back(together, now));
    for (int i = 0; i < 15; ++i) EXPECT_FALSE(limits.pushed_back(together, now));
    EXPECT_EQ(limits.limit(), 8);
    EXPECT_TRUE(limits.pushed_back(now, now));
    EXPECT_EQ(limits.limit(), 4);
}

TEST_F(ConcurrencyTest, GrowsByOneARoundOfGoodAnswers)
{
    for (int i = 0; i < 4; ++i, now += 1s) push_back();
    ASSERT_EQ(limits.limit(), 1);
    answer(100ms);
    EXPECT_EQ(limits.limit(), 2);
    for (int round = 2; round < 20; ++round)
        for (int i = 0; i <= round; ++i) answer(100ms);
    EXPECT_EQ(limits.limit(), 16);
}

TEST_F(ConcurrencyTest, DoesNotGrowOnWhatWasNotUsed)
{
    push_back();
    Outcome outcome;
    outcome.success = true;
    for (int i = 0; i < 100; ++i) limits.answered(outcome, false, now, now);
    EXPECT_EQ(limits.limit(), 8);
}

TEST_F(ConcurrencyTest, ShrinksStepwiseWhileAnswersTakeLonger)
{
    for (int i = 0; i < 50; ++i) answer(100ms);
    ASSERT_EQ(limits.limit(), 16);
    for (int i = 0; i < 40; ++i) answer(1s);
    EXPECT_LT(limits.limit(), 8);
    EXPECT_GE(limits.limit(), 1);
    EXPECT_GT(limits.strain(), 2);
}

TEST_F(ConcurrencyTest, TakesALastingSlownessForTheUsualAfterAWhile)
{
    for (int i = 0; i < 50; ++i) answer(100ms);
    for (int i = 0; i < 600; ++i) answer(1s);
    EXPECT_LT(limits.strain(), 2);
    EXPECT_EQ(limits.limit(), 16);
}

TEST_F(ConcurrencyTest, OneSlowAnswerIsNoSign)
{
    for (int i = 0; i < 20; ++i) answer(20ms);
    answer(25s);
    EXPECT_EQ(limits.limit(), 16);
}

// A quiet poll of 20 ms, full lists of 600 ms, pages of chats of 250 ms, titles of 15 ms, each with a noise of a half.
TEST_F(ConcurrencyTest, CallsOfDifferentCostAreNoRisingLatency)
{
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        SeededRandom random(seed);
        const auto noisy = [&](std::chrono::microseconds usual) {
            return usual + std::chrono::microseconds(random.below(static_cast<std::uint64_t>(usual.count()) / 2));
        };
        for (int i = 0; i < 100; ++i) answer(noisy(20ms), CallKind::list, 300);
        for (int i = 0; i < 100; ++i) answer(noisy(600ms), CallKind::list, 900'000);
        for (int i = 0; i < 300; ++i) {
            answer(noisy(600ms), CallKind::list, 900'000);
            if (i % 2 == 0) answer(noisy(250ms), CallKind::chats, 150'000);
            if (i % 5 == 0) answer(noisy(15ms), CallKind::single, 4'000);
        }
        EXPECT_EQ(limits.limit(), 16);
        EXPECT_LT(limits.strain(), 1.5);
    }
}

TEST_F(ConcurrencyTest, AJitterOfMillisecondsIsNoSign)
{
    SeededRandom random(3);
    for (int i = 0; i < 2000; ++i) answer(std::chrono::microseconds(200 + random.below(30'000)));
    EXPECT_EQ(limits.limit(), 16);
}

} // namespace
