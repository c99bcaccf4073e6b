// SPDX-License-Identifier: Apache-2.0
#include "upstream/concurrency.hpp"

#include <gtest/gtest.h>

namespace {

using namespace alli;
using namespace alli::upstream;
using namespace std::chrono_literals;

struct ConcurrencyTest : testing::Test {
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
    limits.answered(true);
    EXPECT_EQ(limits.limit(), 2);
    for (int round = 2; round < 20; ++round)
        for (int i = 0; i <= round; ++i) limits.answered(true);
    EXPECT_EQ(limits.limit(), 16);
}

TEST_F(ConcurrencyTest, DoesNotGrowOnWhatWasNotUsed)
{
    push_back();
    for (int i = 0; i < 100; ++i) limits.answered(false);
    EXPECT_EQ(limits.limit(), 8);
}

} // namespace
