// SPDX-License-Identifier: Apache-2.0
// What becomes of a read: whether what the mirror holds is served as it is, or upstream is asked before (RFC 9111).
// Pure; tests/proxy/cache_policy_test.cpp is the same as a table.
#pragma once

#include "proxy/request/cache_directives.hpp"

#include <chrono>
#include <optional>

namespace alli::proxy {

/// What the mirror holds for a request.
struct Lookup {
    bool held = false;
    std::optional<std::chrono::microseconds> age = {}; // since it was verified; none: never
    bool verified_in_future = false;                   // the clock was set back since, so that nobody knows the age
    bool incomplete = false;                           // upstream may have more of it
    bool superseded = false;                           // a run or a change has ended that it does not show yet
};

/// What is known of a read and of who asks before anything is looked up.
struct ReadPolicy {
    std::chrono::milliseconds lifetime{60'000}; // for so long after it was verified a response is fresh
    bool mirror_only = false;                   // upstream must not be asked: the principal sees a part alone
    bool unsupported = false;                   // a parameter asks for what the mirror cannot evaluate
    bool polled = false;                        // upstream cannot validate it, a poll of the engine's can
    bool revalidate_when_stale = false;         // as must-revalidate: the engine does not keep it fresh
    bool one_off = false;                       // hardly anybody will ask for it again
};

enum class Action {
    serve,           // what is held
    revalidate,      // ask upstream; what is held is served if that fails
    forward,         // ask upstream; nothing is held
    poll,            // have the engine poll, then serve what is held
    gateway_timeout, // 504 (RFC 9111 5.2.1.7)
};

/// Why a gateway_timeout.
enum class Unmet {
    none,
    excluded, // the mirror must not answer this, whatever it holds
    absent,   // nothing complete is held; max-stale may still get a part
    too_old,  // what is held does not satisfy the request's directives
};

struct CacheDecision {
    Action action = Action::serve;
    Unmet unmet = Unmet::none;
    // Of serve:
    bool store = false;   // in the response cache
    bool refresh = false; // it is stale: the engine is to poll meanwhile (stale-while-revalidate, RFC 5861)

    bool operator==(const CacheDecision&) const = default;
};

/// What follows from the request alone; none: look it up, then decide().
std::optional<CacheDecision> decide_without_lookup(const CacheDirectives& directives, const ReadPolicy& policy);

CacheDecision decide(const CacheDirectives& directives, const Lookup& lookup, const ReadPolicy& policy);

/// Serves what is held, whatever its age: after a poll nothing fresher is to be had.
CacheDecision decide_to_serve(const CacheDirectives& directives, const Lookup& lookup, const ReadPolicy& policy);

} // namespace alli::proxy
