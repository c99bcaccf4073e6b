// SPDX-License-Identifier: Apache-2.0
// What a request wants of a cache: its Cache-Control (RFC 9111 5.2.1). Directives that cannot be read are as absent
// ones. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace alli::proxy {

struct Wishes {
    bool no_cache = false;       // ask upstream, whatever is held
    bool no_store = false;       // keep nothing of it
    bool only_if_cached = false; // never ask upstream
    bool max_stale = false;      // old will do, and part of it
    std::optional<std::chrono::seconds> max_age, min_fresh;
    std::optional<std::chrono::seconds> stale_by; // the bound of max-stale, where it names one

    /// Whether something of this age will do; `lifetime` is how long it is fresh. Without a wish anything will: what
    /// is old is served while the engine looks for news.
    bool accept(std::optional<std::chrono::microseconds> age, std::chrono::milliseconds lifetime) const noexcept;
};

/// `pragma` counts only where there is no Cache-Control.
Wishes read_wishes(std::string_view cache_control, std::string_view pragma = {});

} // namespace alli::proxy
