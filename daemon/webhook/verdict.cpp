// SPDX-License-Identifier: Apache-2.0
#include "daemon/webhook/verdict.hpp"

#include "upstream/retry_after.hpp"

#include <algorithm>
#include <array>

namespace alli::daemon {
namespace {

using Kind = WebhookVerdict::Kind;

// Answers that any event would get: of a gateway, of an access rule, of a limit.
constexpr std::array<int, 13> of_the_whole{401, 403, 404, 405, 407, 408, 421, 425, 429, 502, 503, 504, 511};

Kind kind_of(int status)
{
    if (status >= 200 && status < 300) return Kind::taken;
    if (status == 410) return Kind::gone;
    const bool whole =
        status < 400 || std::find(of_the_whole.begin(), of_the_whole.end(), status) != of_the_whole.end();
    return whole ? Kind::unavailable : Kind::refused;
}

std::string error_of(int status)
{
    if (status >= 300 && status < 400)
        return fmt::format("it answered with a redirect ({}), which is not followed", status);
    if (status == 410) return "it answered 410 Gone: it wants no more events";
    return fmt::format("it answered with {}", status);
}

} // namespace

WebhookVerdict verdict_of(const upstream::Reply& reply, Instant now)
{
    WebhookVerdict verdict;
    verdict.kind = kind_of(reply.status);
    verdict.status = reply.status;
    if (verdict.kind == Kind::taken) return verdict;
    verdict.error = error_of(reply.status);
    verdict.retry_after = upstream::read_retry_after(reply, now); // a receiver answers in its own words
    return verdict;
}

WebhookVerdict verdict_of(const Error& error)
{
    return {Kind::unavailable, std::nullopt, error.what(), std::nullopt};
}

} // namespace alli::daemon
