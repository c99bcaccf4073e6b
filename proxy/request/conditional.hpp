// SPDX-License-Identifier: Apache-2.0
// Conditional requests (RFC 9110 13): a client that holds the body gets 304. Pure.
#pragma once

#include "proxy/request/request.hpp"
#include "proxy/request/response.hpp"

namespace alli::proxy {

/// Whether If-None-Match names the tag (with its quotes), or is "*".
bool has_already(const Request& rq, std::string_view tag);

/// Adds the ETag, and makes a 304 of it where the client has that already.
void validate(Response& response, const Request& rq, std::string tag);

} // namespace alli::proxy
