// SPDX-License-Identifier: Apache-2.0
#include "upstream/outcome.hpp"

#include "upstream/reply.hpp"

namespace alli::upstream {
namespace {

Outcome::Kind kind_of(int status)
{
    if (status == 429) return Outcome::Kind::throttled;
    if (status == 503) return Outcome::Kind::overloaded;
    return status >= 500 ? Outcome::Kind::failed : Outcome::Kind::answered;
}

} // namespace

Outcome outcome_of(const Reply& reply, Instant now)
{
    Outcome outcome;
    outcome.kind = kind_of(reply.status);
    outcome.success = reply.status >= 200 && reply.status < 300;
    outcome.status = reply.status;
    outcome.foreign = is_html(reply);
    if (outcome.kind == Outcome::Kind::answered) return outcome;
    outcome.retry_after = retry_after(reply, now);
    outcome.words = fmt::format("upstream answered {}: {}", reply.status, describe_error(reply));
    return outcome;
}

Outcome outcome_of(const Error& error)
{
    Outcome outcome;
    outcome.kind = error.fault() == Fault::bad_reply ? Outcome::Kind::unreadable : Outcome::Kind::unreachable;
    outcome.words = error.what();
    outcome.unconnected = dynamic_cast<const NoConnection*>(&error) != nullptr;
    return outcome;
}

} // namespace alli::upstream
