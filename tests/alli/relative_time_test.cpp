// SPDX-License-Identifier: Apache-2.0
#include "alli/relative_time.hpp"

#include <gtest/gtest.h>

namespace alli {
namespace {

const Instant now = *from_rfc3339("2026-03-31T20:00:00Z"); // in Seoul it is the 1st of April

std::string in_seoul(std::string_view text)
{
    return absolute_time(text, Zone::load("Asia/Seoul"), now);
}

TEST(RelativeTime, CountsDaysWhereThePersonIs)
{
    EXPECT_EQ(in_seoul("today"), "2026-04-01");
    EXPECT_EQ(in_seoul("Yesterday"), "2026-03-31");
    EXPECT_EQ(in_seoul("어제"), "2026-03-31");
    EXPECT_EQ(in_seoul("昨日"), "2026-03-31");
    EXPECT_EQ(in_seoul("0d"), "2026-04-01");
    EXPECT_EQ(in_seoul("7d"), "2026-03-25");
    EXPECT_EQ(in_seoul("2W"), "2026-03-18");
    EXPECT_EQ(absolute_time("today", Zone(), now), "2026-03-31");
}

TEST(RelativeTime, StaysWithinShorterMonths)
{
    EXPECT_EQ(absolute_time("1m", Zone(), now), "2026-02-28");
    EXPECT_EQ(absolute_time("13m", Zone(), now), "2025-02-28");
    EXPECT_EQ(absolute_time("1y", Zone(), now), "2025-03-31");
}

TEST(RelativeTime, CountsHoursToTheSecond)
{
    EXPECT_EQ(from_rfc3339(in_seoul("24h")), now - std::chrono::hours{24});
}

TEST(RelativeTime, LeavesWhatIsNoneOfTheseAsItIs)
{
    for (const char* text : {"", "d", "7", "7x", "-7d", "+7d", " 7d", "7 d", "7.5d", "99999d", "9999y", "todays",
                             "2026-01-31", "2026-01-31T09:30:00Z", "lunch", "1e3d", "オ日"})
        EXPECT_EQ(in_seoul(text), text);
}

} // namespace
} // namespace alli
