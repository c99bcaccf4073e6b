// SPDX-License-Identifier: Apache-2.0
// The bytes of a header block, one by one: RFC 9112's grammar without anything it merely tolerates (no bare CR or LF,
// no folded line, no blank before a colon, no empty line in front). Pure.
#pragma once

#include <cstdint>

namespace alli::proxy {

enum class At : std::uint8_t {
    start,        // before the first byte
    method,       //
    target_start, // behind the blank after the method
    target,       //
    version,      // behind the blank after the target
    request_cr,   // its line ends
    line,         // at the beginning of a field line, or of the end
    name,         //
    value,        // behind the colon, blanks included
    value_cr,     // its line ends
    last_cr,      // the empty line
    end,
    bad,
};

/// Where `byte` leads.
At step(At at, char byte) noexcept;

} // namespace alli::proxy
