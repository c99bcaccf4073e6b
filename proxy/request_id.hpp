// SPDX-License-Identifier: Apache-2.0
// X-Request-Id: the local app's own where it is one, else made here; it goes upstream with the request, back with the
// answer and into the log, so that the three can be told to belong together.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace alli::proxy {

/// Makes ids that no other loop or run makes: 15 letters, which a std::string holds without an allocation. Of one loop.
class RequestIds {
  public:
    RequestIds();
    std::string next();

  private:
    std::uint64_t salt_; // chosen at random
    std::uint64_t count_ = 0;
};

/// Letters, digits and "._-:+/=@", 1 to 128 of them: what can stand in a header and a log line as it is.
bool is_request_id(std::string_view text) noexcept;

} // namespace alli::proxy
