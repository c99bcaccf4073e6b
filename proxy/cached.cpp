// SPDX-License-Identifier: Apache-2.0
#include "proxy/cached.hpp"

#include "proxy/seal.hpp"
#include "upstream/header.hpp"

#include <algorithm>

namespace alli::proxy {
namespace {

// If-None-Match: "*", or a list of tags, weak ones too (RFC 9110 13.1.2).
bool names_tag(std::string_view list, std::string_view tag)
{
    while (!list.empty()) {
        std::string_view one = list.substr(0, list.find(','));
        list.remove_prefix(std::min(list.size(), one.size() + 1));
        one = upstream::trimmed(one);
        if (one.starts_with("W/")) one.remove_prefix(2);
        if (one == tag || one == "*") return true;
    }
    return false;
}

// Never negative: the clock may have been set back since.
std::optional<std::chrono::microseconds> age_of(const Context& cx, std::optional<Instant> verified_at)
{
    if (!verified_at) return std::nullopt;
    return std::max(cx.needs.clock.now() - *verified_at, std::chrono::microseconds{0});
}

} // namespace

Response cached_response(const Context& cx, const Request& rq, Found found)
{
    const auto age = age_of(cx, found.verified_at);
    if (!age || *age > cx.options.max_age) cx.needs.wake();

    std::string tag = fmt::format("\"{:016x}\"", quick_hash(found.body));
    const bool unchanged = names_tag(rq.header("If-None-Match"), tag);
    Response response = text_response("application/json", std::move(found.body));
    const bool offline = !cx.needs.upstream().reachable;
    response.headers.push_back({"Cache-Status", offline ? "alli-mirror; hit; detail=offline" : "alli-mirror; hit"});
    response.headers.push_back({"ETag", std::move(tag)});
    if (age) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*age).count();
        response.headers.push_back({"Age", std::to_string(seconds)});
    }
    if (unchanged) response.status = 304;
    return response;
}

void require_accepted_key(const Context& cx)
{
    if (!cx.options.refuse_when_key_rejected || cx.needs.upstream().key_accepted) return;
    throw Error(Fault::key_rejected, "replace the key; or let proxy.on_key_rejected be \"serve\"",
                "upstream refused the key, and the mirror is set to answer nothing then");
}

std::string describe(const cache::Covered& covered)
{
    if (!covered.through) return "the mirror is not complete for any time yet";
    const std::string through = to_rfc3339(*covered.through);
    if (covered.from == cache::beginning_of_time) return fmt::format("the mirror is complete through {}", through);
    return fmt::format("the mirror is complete from {} through {} alone", to_rfc3339(*covered.from), through);
}

} // namespace alli::proxy
