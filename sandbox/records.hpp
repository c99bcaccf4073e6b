// SPDX-License-Identifier: Apache-2.0
// What a sandbox saw, for tests: requests and applied writes.
#pragma once

#include "alli/headers.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace alli::sandbox {

struct RequestRecord {
    std::string operation; // operationId, or "unknown"
    std::string method, target;
    int status = 0;                           // 0: reset
    Headers headers;                          // as they were sent
    std::string body;                         // its first 64 KiB
    std::chrono::steady_clock::time_point at; // when it had come

    /// The first of that name; empty: there is none.
    std::string_view header(std::string_view name) const { return headers.first(name); }
};

/// In the order in which they were applied.
struct WriteRecord {
    std::string operation, conversation_id, body;
    int repeats = 0; // how many equal ones of this conversation were applied before
};

} // namespace alli::sandbox
