// SPDX-License-Identifier: Apache-2.0
// How a request ended, as far as it says something about upstream's state: what RateLimiter learns from. Pure.
#pragma once

#include "alli/error.hpp"
#include "alli/instant.hpp"
#include "upstream/http.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace alli::upstream {

/// What was asked for. How long answers take is compared within one kind (and size) alone: a page of chats costs
/// another time than a title.
enum class CallKind { list, chats, single, count, write, relay };
inline constexpr std::size_t call_kinds = 6;

struct Outcome {
    enum class Kind {
        answered,    // any answer of a service that is well: 2xx, and most of 4xx
        throttled,   // 429: too much of us
        overloaded,  // 503: too much of everybody, or down
        failed,      // another 5xx
        unreachable, // no answer
        unreadable,  // it began to answer, and broke off or spoke something else
    };

    Kind kind = Kind::answered;
    bool success = false;            // 2xx: the time it took is a measure
    int status = 0;                  // 0: there was no answer
    CallKind call = CallKind::relay; // of what, nobody says
    std::chrono::nanoseconds elapsed{0};
    std::optional<std::chrono::milliseconds> retry_after;
    std::string words;        // what went wrong, for a person
    bool unconnected = false; // no connection came about
    bool foreign = false;     // a web page came: a portal or a proxy answered
};

/// `now` is our wall clock; Retry-After is read by upstream's own Date where it sends one.
Outcome outcome_of(const Reply& reply, Instant now);
Outcome outcome_of(const Error& error);

} // namespace alli::upstream
