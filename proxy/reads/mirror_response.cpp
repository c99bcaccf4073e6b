// SPDX-License-Identifier: Apache-2.0
#include "proxy/reads/mirror_response.hpp"

#include "proxy/request/conditional.hpp"
#include "proxy/request/view.hpp"

#include <algorithm>

namespace alli::proxy {
namespace {

std::int64_t whole_seconds(std::chrono::microseconds time)
{
    return std::chrono::floor<std::chrono::seconds>(time).count();
}

std::string_view detail_of(const Context& cx, const Request& rq, bool part)
{
    const UpstreamState upstream = cx.upstream.state();
    if (!upstream.key_accepted) return part ? "key-rejected-partial" : "key-rejected";
    if (!upstream.reachable) return part ? "offline-partial" : "offline";
    if (part) return "partial";
    return is_narrowed(rq) ? "mirror-only" : "";
}

} // namespace

std::optional<std::chrono::microseconds> age_of(const Context& cx, const CachedResponse& found)
{
    if (!found.verified_at) return std::nullopt;
    return std::max(cx.clock.now() - *found.verified_at, std::chrono::microseconds{0});
}

Response mirror_response(const Context& cx, const Request& rq, const CachedResponse& found, ResponseOrigin origin,
                         int forward_status, bool part)
{
    HeadState state;
    state.status = has_already(rq, found.tag) ? 304 : 200;
    state.second = std::chrono::floor<std::chrono::seconds>(cx.clock.now());
    state.cache.origin = origin;
    state.cache.forward_status = forward_status;
    state.cache.detail = detail_of(cx, rq, part);
    if (const auto age = age_of(cx, found)) {
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
