// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/cache_directives.hpp"

#include <gtest/gtest.h>

namespace alli::proxy {
namespace {

using namespace std::chrono_literals;

TEST(CacheDirectives, AreReadWhateverTheirCaseAndSpacing)
{
    const CacheDirectives directives =
        read_cache_directives(" No-Cache ,no-store,, only-if-cached;x , MAX-AGE = 5,min-fresh=\"7\"");
    EXPECT_TRUE(directives.no_cache);
    EXPECT_TRUE(directives.no_store);
    EXPECT_FALSE(directives.only_if_cached) << "no such directive";
    EXPECT_EQ(directives.max_age, 5s);
    EXPECT_EQ(directives.min_fresh, 7s);
    EXPECT_FALSE(directives.max_stale);
}

TEST(CacheDirectives, TakeMaxStaleWithAndWithoutABound)
{
    EXPECT_TRUE(read_cache_directives("max-stale").max_stale);
    EXPECT_FALSE(read_cache_directives("max-stale").stale_by);
    EXPECT_TRUE(read_cache_directives("max-stale=30").max_stale);
    EXPECT_EQ(read_cache_directives("max-stale=30").stale_by, 30s);
}

TEST(CacheDirectives, IgnoreWhatIsNoNumberOfSeconds)
{
    for (const char* bad : {"max-age", "max-age=", "max-age=-1", "max-age=x", "max-age=1.5", "max-age=\"", "=5", ","})
        EXPECT_FALSE(read_cache_directives(bad).max_age) << bad;
    EXPECT_EQ(read_cache_directives("max-age=99999999999999999999").max_age, 2'147'483'648s);
}

TEST(CacheDirectives, ListenToPragmaOnlyWithoutCacheControl)
{
    EXPECT_TRUE(read_cache_directives("", "no-cache").no_cache);
    EXPECT_FALSE(read_cache_directives("max-age=5", "no-cache").no_cache);
}

TEST(CacheDirectives, AcceptAnAge)
{
    const auto accepts = [](const char* text, std::optional<std::chrono::microseconds> age) {
        return read_cache_directives(text).allow(age, 60s);
    };
    EXPECT_TRUE(accepts("", 1000s));
    EXPECT_TRUE(accepts("", std::nullopt));
    EXPECT_TRUE(accepts("max-age=10", 10s));
    EXPECT_FALSE(accepts("max-age=10", 11s));
    EXPECT_FALSE(accepts("max-age=10", std::nullopt));
    EXPECT_TRUE(accepts("max-age=10, max-stale=5", 15s));
    EXPECT_FALSE(accepts("max-age=10, max-stale=5", 16s));
    EXPECT_TRUE(accepts("max-age=10, max-stale", 1000s));
    EXPECT_TRUE(accepts("min-fresh=20", 40s));
    EXPECT_FALSE(accepts("min-fresh=20", 41s));
    EXPECT_TRUE(accepts("max-stale=5", 65s));
    EXPECT_FALSE(accepts("max-stale=5", 66s));
}

} // namespace
} // namespace alli::proxy
