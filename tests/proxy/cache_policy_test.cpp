// SPDX-License-Identifier: Apache-2.0
// The cache policy as a table, to be read beside RFC 9111: section, request, what is held, decision. A response is
// fresh for 60 seconds.
#include "proxy/reads/cache_policy.hpp"

#include <gtest/gtest.h>

namespace alli::proxy {
namespace {

using namespace std::chrono_literals;

// What is held.
constexpr Lookup absent{}, unverified{.held = true};
Lookup aged(std::chrono::seconds age)
{
    return {.held = true, .age = age};
}
const Lookup fresh = aged(10s), stale = aged(90s);
constexpr Lookup incomplete{.held = true, .age = 10s, .incomplete = true};
constexpr Lookup superseded{.held = true, .age = 10s, .superseded = true};
constexpr Lookup of_the_future{.held = true, .age = 0s, .verified_in_future = true};

// What is decided.
constexpr CacheDecision serve_and_store{.store = true};
constexpr CacheDecision serve{};
constexpr CacheDecision serve_stale{.store = true, .refresh = true};
constexpr CacheDecision refresh_only{.refresh = true};
constexpr CacheDecision revalidate{Action::revalidate}, forward{Action::forward}, poll{Action::poll};
constexpr CacheDecision too_old{Action::gateway_timeout, Unmet::too_old};
constexpr CacheDecision nothing_held{Action::gateway_timeout, Unmet::absent};
constexpr CacheDecision excluded{Action::gateway_timeout, Unmet::excluded};

struct Row {
    const char* section;
    const char* directives;
    Lookup lookup;
    CacheDecision expected;
};

void expect(const std::vector<Row>& rows, const ReadPolicy& policy)
{
    for (const Row& row : rows) {
        const CacheDirectives directives = read_cache_directives(row.directives);
        const auto early = decide_without_lookup(directives, policy);
        const CacheDecision made = early ? *early : decide(directives, row.lookup, policy);
        EXPECT_EQ(made, row.expected) << "section " << row.section << ": \"" << row.directives << "\", action "
                                      << static_cast<int>(made.action) << ", unmet " << static_cast<int>(made.unmet)
                                      << ", store " << made.store << ", refresh " << made.refresh;
    }
}

TEST(CachePolicy, OfAMirroredReadIsThatOfTheRfc)
{
    expect(
        {
            // 4: Constructing Responses from Caches
            {"4", "", absent, forward},
            {"4", "", fresh, serve_and_store},
            {"4.2", "", aged(60s), serve_and_store},
            {"4.2.4, and RFC 5861 3", "", stale, serve_stale},
            {"4.2.4, and RFC 5861 3", "", unverified, serve_stale},
            {"4.2.3", "", of_the_future, serve_stale},
            {"4.3", "", incomplete, revalidate},
            {"4.3", "", superseded, revalidate},
            // 5.2.1.1: max-age
            {"5.2.1.1", "max-age=10", fresh, serve_and_store},
            {"5.2.1.1", "max-age=9", fresh, revalidate},
            {"5.2.1.1", "max-age=0", fresh, revalidate},
            {"5.2.1.1", "max-age=100", stale, serve_stale},
            {"5.2.1.1", "max-age=100", unverified, revalidate},
            {"5.2.1.1", "max-age=9", absent, forward},
            // 5.2.1.2: max-stale
            {"5.2.1.2", "max-stale", stale, serve_stale},
            {"5.2.1.2", "max-stale=30", stale, serve_stale},
            {"5.2.1.2", "max-stale=29", stale, revalidate},
            {"5.2.1.2", "max-age=60, max-stale=30", stale, serve_stale},
            {"5.2.1.2", "max-age=59, max-stale=30", stale, revalidate},
            {"5.2.1.2", "max-stale", absent, forward},
            // 5.2.1.3: min-fresh
            {"5.2.1.3", "min-fresh=50", fresh, serve_and_store},
            {"5.2.1.3", "min-fresh=51", fresh, revalidate},
            // 5.2.1.4: no-cache
            {"5.2.1.4", "no-cache", fresh, revalidate},
            {"5.2.1.4", "no-cache", absent, forward},
            // 5.2.1.5: no-store
            {"5.2.1.5", "no-store", fresh, serve},
            {"5.2.1.5", "no-store", stale, refresh_only},
            // 5.2.1.7: only-if-cached
            {"5.2.1.7", "only-if-cached", fresh, serve_and_store},
            {"5.2.1.7", "only-if-cached", stale, serve_and_store},
            {"5.2.1.7", "only-if-cached", incomplete, serve},
            {"5.2.1.7", "only-if-cached", absent, nothing_held},
            {"5.2.1.7", "only-if-cached, max-age=5", fresh, too_old},
            {"5.2.1.7", "only-if-cached, no-cache", fresh, too_old},
            {"5.2.1.7", "only-if-cached, no-cache", absent, nothing_held},
            {"5.2.1.7", "only-if-cached", superseded, too_old},
        },
        {});
}

TEST(CachePolicy, RevalidatesWhatTheEngineDoesNotKeepFresh)
{
    ReadPolicy policy;
    policy.revalidate_when_stale = true;
    expect(
        {
            {"5.2.2.2", "", fresh, serve},
            {"5.2.2.2", "", stale, revalidate},
            {"5.2.2.2", "max-stale", stale, revalidate},
            {"5.2.2.2", "", of_the_future, revalidate},
            {"5.2.1.7", "only-if-cached", stale, serve},
            {"4", "", absent, forward},
        },
        policy);
}

TEST(CachePolicy, ValidatesAPageBehindOurCursorByAPoll)
{
    ReadPolicy policy;
    policy.polled = true;
    expect(
        {
            {"4", "", fresh, serve_and_store},
            {"4.2.4", "", stale, serve_stale},
            {"4", "", absent, forward},
            {"4.3", "max-age=5", fresh, poll},
            {"5.2.1.4", "no-cache", fresh, poll},
            {"5.2.1.4", "no-cache", absent, poll},
            {"5.2.1.7", "only-if-cached, max-age=5", fresh, too_old},
            {"5.2.1.7", "only-if-cached, no-cache", absent, nothing_held},
            {"4.3", "", superseded, serve_and_store},
        },
        policy);
}

TEST(CachePolicy, NeverAsksUpstreamForAPrincipalThatSeesAPart)
{
    ReadPolicy policy;
    policy.mirror_only = true;
    expect(
        {
            {"4", "", fresh, serve},
            {"4.2.4", "", stale, refresh_only},
            {"4.2.4", "only-if-cached", stale, serve},
            {"4.3", "", incomplete, serve},
            {"4.3", "", superseded, serve},
            {"5.2.1.1", "max-age=5", fresh, too_old},
            {"5.2.1.4", "no-cache", fresh, excluded},
            {"5.2.1.7", "", absent, nothing_held},
        },
        policy);
    policy.unsupported = true;
    expect({{"4.1", "", fresh, excluded}, {"4.1", "only-if-cached", fresh, excluded}}, policy);
}

TEST(CachePolicy, ForwardsWhatTheMirrorCannotEvaluate)
{
    ReadPolicy policy;
    policy.unsupported = true;
    expect(
        {
            {"4.1", "", fresh, forward},
            {"5.2.1.4", "no-cache", fresh, forward},
            {"5.2.1.7", "only-if-cached", fresh, excluded},
        },
        policy);
}

TEST(CachePolicy, StoresNoOneOff)
{
    ReadPolicy policy;
    policy.one_off = true;
    expect({{"3", "", fresh, serve}, {"3", "", stale, refresh_only}}, policy);
}

TEST(CachePolicy, ServesWhateverAPollBrought)
{
    EXPECT_EQ(decide_to_serve(read_cache_directives("max-age=5"), fresh, {}), serve_and_store);
    EXPECT_EQ(decide_to_serve(read_cache_directives("max-age=5"), stale, {}), serve_stale);
}

} // namespace
} // namespace alli::proxy
