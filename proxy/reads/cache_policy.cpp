// SPDX-License-Identifier: Apache-2.0
#include "proxy/reads/cache_policy.hpp"

namespace alli::proxy {
namespace {

bool is_stale(const Lookup& lookup, const ReadPolicy& policy)
{
    return lookup.verified_in_future || !lookup.age || *lookup.age > policy.lifetime;
}

CacheDecision time_out(Unmet why)
{
    return {Action::gateway_timeout, why};
}

} // namespace

std::optional<CacheDecision> decide_without_lookup(const CacheDirectives& directives, const ReadPolicy& policy)
{
    if (policy.mirror_only && (policy.unsupported || directives.no_cache)) return time_out(Unmet::excluded);
    if (policy.unsupported)
        return directives.only_if_cached ? time_out(Unmet::excluded) : CacheDecision{Action::forward};
    if (policy.polled && directives.no_cache && !directives.only_if_cached) return CacheDecision{Action::poll};
    return std::nullopt;
}

CacheDecision decide_to_serve(const CacheDirectives& directives, const Lookup& lookup, const ReadPolicy& policy)
{
    CacheDecision decision;
    decision.store = !directives.no_store && !lookup.incomplete && !policy.mirror_only &&
                     !policy.revalidate_when_stale && !policy.one_off;
    decision.refresh = !directives.only_if_cached && is_stale(lookup, policy);
    return decision;
}

CacheDecision decide(const CacheDirectives& directives, const Lookup& lookup, const ReadPolicy& policy)
{
    const bool satisfies = lookup.held && !directives.no_cache && directives.allow(lookup.age, policy.lifetime);
    if (directives.only_if_cached || policy.mirror_only) {
        if (lookup.superseded && !policy.mirror_only) return time_out(Unmet::too_old);
        if (satisfies) return decide_to_serve(directives, lookup, policy);
        return time_out(lookup.held ? Unmet::too_old : Unmet::absent);
    }
    if (policy.polled && lookup.held)
        return satisfies ? decide_to_serve(directives, lookup, policy) : CacheDecision{Action::poll};
    const bool must_revalidate =
        lookup.superseded || lookup.incomplete || (policy.revalidate_when_stale && is_stale(lookup, policy));
    if (satisfies && !must_revalidate) return decide_to_serve(directives, lookup, policy);
    return {lookup.held ? Action::revalidate : Action::forward};
}

} // namespace alli::proxy
