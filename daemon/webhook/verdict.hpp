// SPDX-License-Identifier: Apache-2.0
// What becomes of an event after an answer of its receiver, and how long to wait after failures. Pure.
#pragma once

#include "alli/back_off.hpp"
#include "alli/instant.hpp"
#include "upstream/http.hpp"

#include <optional>
#include <string>

namespace alli::daemon {

struct WebhookVerdict {
    enum class Kind {
        taken,       // 2xx
        gone,        // 410: it wants no more events at all
        refused,     // an answer that may be about this one event
        unavailable, // the receiver as a whole: no answer, a redirect, a gateway's answer, too many requests, a wrong
                     // secret
    };
    Kind kind = Kind::taken;
    std::optional<int> status = {};                            // none: no answer
    std::string error = {};                                    // one sentence; never the receiver's own words
    std::optional<std::chrono::milliseconds> retry_after = {}; // that it asked for
};

WebhookVerdict verdict_of(const upstream::Reply& reply, Instant now);
WebhookVerdict verdict_of(const Error& error);

/// After failures: from a second to an hour, drawn.
inline constexpr BackOff webhook_back_off{std::chrono::seconds(1), std::chrono::hours(1)};
/// A receiver that took nothing for so long, in so many tries (a clock may jump), is not called any more.
inline constexpr std::chrono::hours longest_failure{24 * 7};
inline constexpr int fewest_tries = 50;

} // namespace alli::daemon
