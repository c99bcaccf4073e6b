// SPDX-License-Identifier: Apache-2.0
// Where a response comes from: a value that handlers set, metrics and the access log read, and the Cache-Status header
// (RFC 9211) is rendered from. Pure.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace alli::proxy {

/// A hit, or why the request was forwarded (RFC 9211 2.2).
enum class ResponseOrigin : std::uint8_t {
    none,    // neither: an answer of our own, or none at all
    hit,     // the mirror's
    miss,    // the mirror does not hold it
    stale,   // what the mirror holds is too old, or may be incomplete
    request, // the client asked for upstream's: no-cache
    bypass,  // the mirror never holds it
};
inline constexpr std::array<std::string_view, 6> origin_names{"none", "hit", "miss", "stale", "request", "bypass"};

struct CacheStatus {
    ResponseOrigin origin = ResponseOrigin::none;
    int forward_status = 0;               // upstream's, where it answered without use
    bool stored = false;                  // part of the reply is in the mirror now
    bool collapsed = false;               // it shares the reply to another request
    std::optional<std::int64_t> ttl = {}; // seconds; negative: stale by so many
    std::string_view detail = {};         // a constant

    bool operator==(const CacheStatus&) const = default;
};
std::string to_text(const CacheStatus& status);

} // namespace alli::proxy
