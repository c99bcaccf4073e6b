// SPDX-License-Identifier: Apache-2.0
#include "alli/instant.hpp"

#include <gtest/gtest.h>

namespace alli {
namespace {

using std::chrono::microseconds;

Instant at(std::int64_t micros)
{
    return Instant{microseconds{micros}};
}

TEST(Instant, ReadsAndWritesBothUnitsToTheMicrosecond)
{
    EXPECT_EQ(read_instant("1615246647609.666", TimeUnit::milliseconds), at(1615246647609666));
    EXPECT_EQ(read_instant("1615246647", TimeUnit::seconds), at(1615246647000000));
    EXPECT_EQ(read_instant("1615246647.5", TimeUnit::seconds), at(1615246647500000));
    EXPECT_EQ(read_instant("-0.25", TimeUnit::seconds), at(-250000));
    EXPECT_EQ(read_instant("1.5e3", TimeUnit::seconds), at(1500000000));
    EXPECT_EQ(read_instant("1615246647609.6669", TimeUnit::milliseconds), at(1615246647609666));

    EXPECT_EQ(write_instant(at(1615246647609666), TimeUnit::milliseconds), "1615246647609.666");
    EXPECT_EQ(write_instant(at(1615246647000000), TimeUnit::milliseconds), "1615246647000");
    EXPECT_EQ(write_instant(at(1615246647500000), TimeUnit::seconds), "1615246647.5");
    EXPECT_EQ(write_instant(at(-250000), TimeUnit::seconds), "-0.25");
}

TEST(Instant, IsAbsentForWhatIsNoNumber)
{
    for (const char* text : {"", "-", "abc", "1.2.3", "12x", "99999999999999999999999999999999999", "1e300", "NaN"})
        EXPECT_FALSE(read_instant(text, TimeUnit::milliseconds)) << text;
}

TEST(Instant, GuessesMillisecondsAboveTheYear5138InSeconds)
{
    EXPECT_EQ(guess_unit(1615246647), TimeUnit::seconds);
    EXPECT_EQ(guess_unit(1615246647609.666), TimeUnit::milliseconds);
}

TEST(Instant, SpeaksRfc3339)
{
    EXPECT_EQ(to_rfc3339(at(1615246647609666)), "2021-03-08T23:37:27.609666Z");
    EXPECT_EQ(to_rfc3339(at(0)), "1970-01-01T00:00:00Z");
    EXPECT_EQ(from_rfc3339("2021-03-08T23:37:27.609666Z"), at(1615246647609666));
    EXPECT_EQ(from_rfc3339("2021-03-09T08:37:27+09:00"), at(1615246647000000));
    EXPECT_EQ(from_rfc3339("2021-03-08"), at(1615161600000000));
    for (const char* text : {"", "2021", "2021-02-30", "2021-13-01", "2021-03-08T25:00:00Z", "2021-03-08T23:37:27",
                             "2021-03-08T23:37:27.Z", "2021-03-08T23:37:27+0900", "20210308T233727Z"})
        EXPECT_FALSE(from_rfc3339(text)) << text;
}

TEST(Instant, SpeaksTheDateOfHttp)
{
    EXPECT_EQ(from_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), at(784111777000000));
    EXPECT_EQ(to_http_date(at(784111777000000)), "Sun, 06 Nov 1994 08:49:37 GMT");
    for (const char* text : {"", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
                             "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Xxx 1994 08:49:37 GMT"})
        EXPECT_FALSE(from_http_date(text)) << text;
}

} // namespace
} // namespace alli
