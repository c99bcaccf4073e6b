// SPDX-License-Identifier: Apache-2.0
#include "alli/zone.hpp"

#include <gtest/gtest.h>

#include <array>

namespace alli {
namespace {

using namespace std::chrono;

Zone zone(std::string_view name)
{
    const auto found = Zone::find(name);
    EXPECT_TRUE(found) << name;
    return found.value_or(Zone());
}

Instant start(std::string_view name, std::string_view day)
{
    return *read_before(day, zone(name));
}

TEST(Zone, StartsADayWhereThePersonIs)
{
    struct Case {
        const char *zone, *day, *start;
    };
    const auto cases = std::to_array<Case>({
        {"UTC", "2026-01-05", "2026-01-05T00:00:00Z"},
        {"Asia/Seoul", "2026-01-05", "2026-01-04T15:00:00Z"},
        {"Asia/Tokyo", "2026-01-05", "2026-01-04T15:00:00Z"},
        {"America/New_York", "2026-01-05", "2026-01-05T05:00:00Z"},
        {"Asia/Kolkata", "2026-01-05", "2026-01-04T18:30:00Z"},
        {"Asia/Seoul", "1988-05-09", "1988-05-08T14:00:00Z"},        // Korea's own summer time
        {"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"}, // there was no midnight: 0:00 became 1:00
        {"America/Toronto", "1919-03-31", "1919-03-31T04:30:00Z"},   // 23:30 became 0:30
        {"America/Havana", "2025-11-02", "2025-11-02T04:00:00Z"},    // midnight came twice: the first one
        {"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"},      // a day that was left out is empty
        {"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"},
    });
    for (const Case& one : cases)
        EXPECT_EQ(to_rfc3339(start(one.zone, one.day)), one.start) << one.zone << " " << one.day;
}

TEST(Zone, KnowsDaysOfTwentyThreeAndTwentyFiveHours)
{
    const auto length = [](const char* name, const char* day, const char* next) {
        return start(name, next) - start(name, day);
    };
    EXPECT_EQ(length("Europe/Berlin", "2026-03-29", "2026-03-30"), 23h);
    EXPECT_EQ(length("Europe/Berlin", "2026-10-25", "2026-10-26"), 25h);
    EXPECT_EQ(length("America/New_York", "2026-03-08", "2026-03-09"), 23h);
    EXPECT_EQ(length("Australia/Lord_Howe", "2026-04-05", "2026-04-06"), 24h + 30min);
    EXPECT_EQ(length("Asia/Seoul", "2026-03-29", "2026-03-30"), 24h);
}

// No instant is lost between two days, nor in both.
TEST(Zone, PartsAllTimeIntoDays)
{
    for (const char* name : {"Asia/Seoul", "Europe/Berlin", "America/Havana", "America/Sao_Paulo", "Pacific/Apia",
                             "Africa/Cairo", "America/St_Johns", "Asia/Beirut"}) {
        const Zone here = zone(name);
        Instant last = here.start_of(local_days{year{2000} / 1 / 1});
        for (local_days day = local_days{year{2000} / 1 / 2}; day < local_days{year{2030} / 1 / 1}; day += days{1}) {
            const Instant now = here.start_of(day);
            ASSERT_TRUE(now - last >= 0h && now - last <= 26h) << name;
            if (now != here.start_of(day + days{1})) { // but for one that was left out
                const auto shown = floor<days>(now + here.offset_at(now)).time_since_epoch();
                ASSERT_EQ(shown, day.time_since_epoch()) << name << " " << to_rfc3339(now);
            }
            last = now;
        }
    }
}

TEST(Zone, TakesADayWholeAndAMomentAsItIs)
{
    const Zone seoul = zone("Asia/Seoul");
    const Instant midnight = *from_rfc3339("2026-01-05T00:00:00+09:00");
    EXPECT_EQ(read_after("2026-01-05", seoul), midnight - 1us);
    EXPECT_EQ(read_before("2026-01-05", seoul), midnight);
    EXPECT_EQ(read_after("2026-01-05T00:00:00+09:00", seoul), midnight);
    EXPECT_EQ(read_before("2026-01-04T15:00:00Z", seoul), midnight);
    for (const char* text : {"", "soon", "2026-02-30", "2026-1-5", "20260105", "2026-01-05T00:00"}) {
        EXPECT_FALSE(read_after(text, seoul)) << text;
        EXPECT_FALSE(read_before(text, seoul)) << text;
    }
}

TEST(Zone, GoesByIanaNamesAlone)
{
    EXPECT_EQ(zone("asia/seoul").name(), "Asia/Seoul");
    for (const char* name : {"utc", "Etc/UTC", "Zulu"}) EXPECT_EQ(zone(name).name(), "UTC");
    EXPECT_EQ(zone("ROK").name(), "ROK");
    EXPECT_EQ(zone("Asia/Calcutta").name(), "Asia/Calcutta");
    for (const char* text : {"", "KST", "BST", "IST", "+09:00", "GMT+09:00", "Asia/Soul", "Etc/Unknown", "SystemV/AST4",
                             "Asia/Seoul ", "../etc/passwd", "\xff"})
        EXPECT_FALSE(Zone::find(text)) << text;
}

TEST(Zone, SaysWhichNameWasProbablyMeant)
{
    EXPECT_EQ(Zone::find_nearest("Asia/Soul"), "Asia/Seoul");
    EXPECT_EQ(Zone::find_nearest("seoul"), "Asia/Seoul");
    EXPECT_EQ(Zone::find_nearest("KST"), "Asia/Seoul");
    EXPECT_EQ(Zone::find_nearest("New York"), "America/New_York");
    EXPECT_EQ(Zone::find_nearest("Europe/Berlni"), "Europe/Berlin");
    EXPECT_EQ(Zone::find_nearest("zzzzzzzzzzzz"), "");
}

TEST(Zone, WritesTimesWithTheirOffset)
{
    const Instant when = *from_rfc3339("2026-01-31T09:30:00.25Z");
    EXPECT_EQ(to_rfc3339(when, zone("Asia/Seoul")), "2026-01-31T18:30:00.25+09:00");
    EXPECT_EQ(to_rfc3339(when, zone("America/St_Johns")), "2026-01-31T06:00:00.25-03:30");
    EXPECT_EQ(to_rfc3339(when, zone("UTC")), "2026-01-31T09:30:00.25Z");
    EXPECT_EQ(to_rfc3339(*from_rfc3339("1890-01-01"), zone("Asia/Seoul")), "1890-01-01T00:00:00Z"); // +08:27:52
}

} // namespace
} // namespace alli
