// SPDX-License-Identifier: Apache-2.0
// The response that is made of what the mirror holds, with its age and where it comes from.
#pragma once

#include "proxy/reads/response_cache.hpp"
#include "proxy/request/context.hpp"

#include <chrono>
#include <optional>

namespace alli::proxy {

/// Since it was verified, never negative: the clock may have been set back. None: it never was.
std::optional<std::chrono::microseconds> age_of(const Context& cx, const CachedResponse& found);

/// With one header block for all who ask in this second. `origin`: other than a hit if upstream was asked in vain, and
/// answered `forward_status`; `part`: it is incomplete.
Response mirror_response(const Context& cx, const Request& rq, const CachedResponse& found,
                         ResponseOrigin origin = ResponseOrigin::hit, int forward_status = 0, bool part = false);

} // namespace alli::proxy
