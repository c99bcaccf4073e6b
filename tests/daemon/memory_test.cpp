// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/memory.hpp"

#include <gtest/gtest.h>

namespace alli::daemon {
namespace {

using namespace std::chrono_literals;

TEST(MemoryWatch, IsDueOnceAtRestAfterEachBurst)
{
    MemoryWatch watch;
    auto now = std::chrono::steady_clock::time_point{} + 1h;
    std::chrono::microseconds cpu = 2s;
    const auto after = [&](std::chrono::microseconds spent) {
        now += 15s;
        cpu += spent;
        return watch.is_due(now, cpu);
    };
    EXPECT_TRUE(after(0s)) << "what the start left";
    for (int n = 0; n < 100; ++n) EXPECT_FALSE(after(2ms)) << "polls that find nothing fill no caches";
    for (int n = 0; n < 10; ++n) EXPECT_FALSE(after(5s)) << "while it works the locks are left alone";
    EXPECT_TRUE(after(100ms)) << "the burst is over";
    EXPECT_FALSE(after(100ms));
    for (int n = 0; n < 3; ++n) EXPECT_FALSE(after(100ms));
    EXPECT_TRUE(after(200ms)) << "little by little it has worked enough";
}

} // namespace
} // namespace alli::daemon
