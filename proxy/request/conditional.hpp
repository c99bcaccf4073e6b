// SPDX-License-Identifier: Apache-2.0
// Conditional requests (RFC 9110 13): a client that holds the body gets 304. Pure.
#pragma once

#include "proxy/request/request.hpp"
#include "proxy/request/response.hpp"

namespace alli::proxy {

/// Adds the ETag, and makes a 304 of it where If-None-Match names it. `tag` with its quotes.
void validate(Response& response, const Request& rq, std::string tag);

} // namespace alli::proxy
