// SPDX-License-Identifier: Apache-2.0
#include "proxy/request/cache_status.hpp"

#include <gtest/gtest.h>

namespace alli::proxy {
namespace {

TEST(CacheStatus, IsWrittenAsTheRfcHasIt)
{
    EXPECT_EQ(to_text({}), "alli-mirror");
    EXPECT_EQ(to_text({.origin = ResponseOrigin::hit, .ttl = 50}), "alli-mirror; hit; ttl=50");
    EXPECT_EQ(to_text({.origin = ResponseOrigin::stale, .forward_status = 503, .ttl = -950, .detail = "offline"}),
              "alli-mirror; fwd=stale; fwd-status=503; ttl=-950; detail=offline");
    EXPECT_EQ(to_text({.origin = ResponseOrigin::miss, .stored = true, .collapsed = true}),
              "alli-mirror; fwd=miss; stored; collapsed");
}

} // namespace
} // namespace alli::proxy
