// SPDX-License-Identifier: Apache-2.0
// An answer out of the mirror: what it says about its age and origin, and what the mirror may claim to hold.
#pragma once

#include "cache/progress.hpp"
#include "proxy/routes.hpp"

#include <optional>
#include <string>

namespace alli::proxy {

/// A body and when the mirror it came from was last verified, taken in one snapshot.
struct Found {
    std::string body;
    std::optional<Instant> verified_at;
};

/// Adds Cache-Status, Age and ETag; 304 where the client has that body. Wakes the engine when the mirror is older than
/// max_age: it answers all the same.
Response cached_response(const Context& cx, const Request& rq, Found found);

/// Throws Error{key_rejected} where the mirror is to keep silent once upstream refused the key.
void require_accepted_key(const Context& cx);

/// What is covered, in words: "the mirror is complete from ... through ... alone".
std::string describe(const cache::Covered& covered);

} // namespace alli::proxy
