// SPDX-License-Identifier: Apache-2.0
#include "alli/back_off.hpp"

#include <gtest/gtest.h>

namespace alli {
namespace {

using namespace std::chrono_literals;

TEST(BackOff, DoublesUpToTheLongest)
{
    constexpr BackOff pauses{250ms, 5s};
    const std::pair<int, std::chrono::nanoseconds> expected[] = {
        {0, 250ms}, {1, 500ms}, {2, 1s}, {3, 2s}, {4, 4s}, {5, 5s}, {100, 5s}, {-1, 250ms},
    };
    for (const auto& [failures, pause] : expected) EXPECT_EQ(pauses.after(failures), pause) << failures;
    EXPECT_EQ((BackOff{6h, 24h}.after(1'000'000)), 24h) << "nothing overflows";
}

TEST(BackOff, DrawsAnythingUpToThat)
{
    constexpr BackOff pauses{100ms, 1s};
    SeededRandom random(7);
    std::chrono::milliseconds least = 1h, most{0};
    for (int n = 0; n < 1000; ++n) {
        const auto drawn = pauses.draw(random, 10);
        least = std::min(least, drawn);
        most = std::max(most, drawn);
    }
    EXPECT_GE(least, 1ms);
    EXPECT_LT(least, 50ms);
    EXPECT_GT(most, 950ms);
    EXPECT_LE(most, 1s);
}

} // namespace
} // namespace alli
