// SPDX-License-Identifier: Apache-2.0
// Where a request ends and whether its connection is kept, read from its headers in the one way that no other server
// reads differently (RFC 9112 6, without its leniencies). Pure.
#pragma once

#include "http/request_parser.hpp"

#include <cstdint>
#include <variant>

namespace alli::http {

struct RequestFraming {
    bool chunked = false;
    std::uint64_t length = 0; // of a body that is not chunked
    bool keep_alive = true;
    bool expects_continue = false;
};

std::variant<RequestFraming, Refusal> read_framing(const RequestHead& head);

} // namespace alli::http
