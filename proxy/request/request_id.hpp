// SPDX-License-Identifier: Apache-2.0
// X-Request-Id: taken from the request where it is valid, else generated. It goes upstream with the request, back with
// the response and into the log, so that the three can be correlated.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace alli::proxy {

/// Generates ids that are unique over loops and runs: 15 letters, which a std::string holds without an allocation. Used
/// by one loop.
class RequestIds {
  public:
    RequestIds();
    std::string next();

  private:
    std::uint64_t salt_; // chosen at random
    std::uint64_t count_ = 0;
};

/// 1 to 128 letters, digits and "._-:+/=@": valid in a header and in a log line without escaping.
bool is_request_id(std::string_view text) noexcept;

} // namespace alli::proxy
