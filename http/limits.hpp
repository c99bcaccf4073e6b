// SPDX-License-Identifier: Apache-2.0
// How large a request may be and how long its sender may take.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace alli::http {

struct RequestLimits {
    std::size_t header_bytes = 16 * 1024; // of the whole header block
    std::size_t header_lines = 100;
    std::size_t target_bytes = 8 * 1024;
    std::chrono::milliseconds header{10'000};     // from the first byte of a request to the end of its header block
    std::chrono::milliseconds body{30'000};       // for a body that is stored; of any other, between two pieces
    std::chrono::milliseconds body_pause{10'000}; // by which a body may fall behind its minimum rate
    std::uint64_t body_bytes_per_second = 1024;   // that rate
    std::chrono::milliseconds idle{60'000};       // between two requests
};

} // namespace alli::http
