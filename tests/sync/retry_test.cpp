// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/retry.hpp"

#include "cache/rows/problems.hpp"

#include <gtest/gtest.h>

#include <set>

namespace alli::sync {
namespace {

using namespace std::chrono_literals;

TEST(Retry, IsSpreadOnAThreadThatHasNoGenerator)
{
    const Instant now{1'700'000'000s};
    std::set<std::chrono::milliseconds> pauses;
    for (int n = 0; n < 200; ++n) pauses.insert(retry_pause("window " + std::to_string(n), now, 5));
    EXPECT_GT(pauses.size(), 190U) << "not all come back at once";
    EXPECT_LE(*pauses.rbegin(), 33min);
    EXPECT_GE(*pauses.begin(), 1min);
    EXPECT_GT(*pauses.rbegin() - *pauses.begin(), 20min);
    EXPECT_NE(retry_pause("a", now, 5), retry_pause("a", now + 1s, 5)) << "nor the same one always alike";
    EXPECT_EQ(retry_pause("a", now, 5), retry_pause("a", now, 5)) << "a simulation runs the same way again";
    for (int tries = 0; tries < 100; ++tries) EXPECT_LE(retry_pause("a", now, tries), cache::longest_retry);
}

} // namespace
} // namespace alli::sync
