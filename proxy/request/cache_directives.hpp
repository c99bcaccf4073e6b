// SPDX-License-Identifier: Apache-2.0
// The Cache-Control directives of a request (RFC 9111 5.2.1). A directive that cannot be read counts as absent. Pure.
#pragma once

#include "proxy/request/request.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace alli::proxy {

struct CacheDirectives {
    bool no_cache = false;       // ask upstream, whatever is held
    bool no_store = false;       // keep nothing of the response
    bool only_if_cached = false; // never ask upstream
    bool max_stale = false;      // a stale response is acceptable, and an incomplete one
    std::optional<std::chrono::seconds> max_age, min_fresh;
    std::optional<std::chrono::seconds> stale_by; // the argument of max-stale

    /// True if a response of this age, which is fresh for `lifetime`, satisfies the directives. Without directives a
    /// stale response does: it is revalidated in the background.
    bool allow(std::optional<std::chrono::microseconds> age, std::chrono::milliseconds lifetime) const noexcept;
};

/// `pragma` counts only without a Cache-Control.
CacheDirectives read_cache_directives(std::string_view cache_control, std::string_view pragma = {});

CacheDirectives cache_directives_of(const Request& rq);

} // namespace alli::proxy
