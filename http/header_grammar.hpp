// SPDX-License-Identifier: Apache-2.0
// The grammar of a header block as a state machine over its bytes: RFC 9112 without anything that it merely tolerates
// (no bare CR or LF, no folded line, no blank before a colon, no empty line in front). Pure.
#pragma once

#include <cstdint>

namespace alli::http {

enum class HeaderState : std::uint8_t {
    start,        // before the first byte
    method,       //
    target_start, // behind the blank after the method
    target,       //
    version,      // behind the blank after the target
    request_cr,   // CR of the request line
    line,         // at the start of a field line or of the final empty line
    name,         //
    value,        // behind the colon, blanks included
    value_cr,     // CR of a field line
    last_cr,      // CR of the final empty line
    end,
    bad,
};

HeaderState next_state(HeaderState state, char byte) noexcept;

} // namespace alli::http
