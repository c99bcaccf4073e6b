// SPDX-License-Identifier: Apache-2.0
#include "proxy/reads/mirror_response.hpp"

#include "proxy/request/cluster.hpp"
#include "proxy/request/conditional.hpp"
#include "proxy/request/view.hpp"

#include <algorithm>

namespace alli::proxy {
namespace {

std::int64_t whole_seconds(std::chrono::microseconds time)
{
    return std::chrono::floor<std::chrono::seconds>(time).count();
}

// What it follows is not heard of, and what it holds is not fresh any more.
bool is_cut_off(const Context& cx, std::optional<std::chrono::microseconds> age)
{
    return cx.cluster && !cx.cluster->state().hears && (!age || *age > cx.options.max_age);
}

std::string_view detail_of(const Context& cx, const Request& rq, std::optional<std::chrono::microseconds> age,
                           bool part)
{
    const UpstreamState upstream = cx.upstream.state();
    if (!upstream.key_accepted) return part ? "key-rejected-partial" : "key-rejected";
    if (is_cut_off(cx, age)) return part ? "database-away-partial" : "database-away";
    if (!upstream.reachable) return part ? "offline-partial" : "offline";
    if (rq.is_behind) return "behind";
    if (part) return "partial";
    return is_narrowed(rq) ? "mirror-only" : "";
}

} // namespace

std::optional<std::chrono::microseconds> age_of(const Context& cx, const CachedResponse& found)
{
    constexpr std::chrono::seconds together{1};
    if (!found.verified_at) return std::nullopt;
    const std::chrono::microseconds age = shared_now(cx) - *found.verified_at;
    // Our clock was set back since: nobody knows how old it is. A leader's may be ahead of the one that nodes share.
    if (age < -together && !follows(cx)) return std::nullopt;
    return std::max(age, std::chrono::microseconds{0});
}

Response mirror_response(const Context& cx, const Request& rq, const CachedResponse& found, ResponseOrigin origin,
                         int forward_status, bool part)
{
    HeadState state;
    state.status = has_already(rq, found.tag) ? 304 : 200;
    state.second = std::chrono::floor<std::chrono::seconds>(cx.clock.now());
    state.cache.origin = origin;
    state.cache.forward_status = forward_status;
    const auto age = age_of(cx, found);
    state.cache.detail = detail_of(cx, rq, age, part);
    if (age) {
        state.age = whole_seconds(*age);
        state.cache.ttl = whole_seconds(cx.options.max_age - *age);
    }
    Response response;
    response.status = state.status;
    response.shared_head = found.heads.find(state, found.tag, found.body.size());
    response.body = found.body;
    response.cache = state.cache;
    return response;
}

} // namespace alli::proxy
