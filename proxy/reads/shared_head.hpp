// SPDX-License-Identifier: Apache-2.0
// The header block of a response out of the mirror: the same for all requests of one second, so that a response that is
// kept renders it once a second. Used by one loop.
#pragma once

#include "alli/instant.hpp"
#include "proxy/request/cache_status.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace alli::proxy {

/// What it says besides the tag and the length.
struct HeadState {
    int status = 200;                // or 304
    Instant second = {};             // Date
    std::optional<std::int64_t> age; // in seconds
    CacheStatus cache;

    bool operator==(const HeadState&) const = default;
};

class SharedHeads {
  public:
    /// As http::Response::shared_head. `tag` and `length` are the same at each call.
    std::shared_ptr<const std::string> find(const HeadState& state, std::string_view tag, std::size_t length);

  private:
    struct Rendered {
        HeadState state;
        std::shared_ptr<const std::string> head;
    };
    Rendered whole_, unchanged_; // of 200 and 304
};

} // namespace alli::proxy
