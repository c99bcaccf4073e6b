// SPDX-License-Identifier: Apache-2.0
// What a browser has to be told before it lets a page of another origin call and read (WHATWG Fetch, "CORS protocol").
// Never Access-Control-Allow-Credentials: a cookie counts from our own page alone. Pure.
#pragma once

#include "proxy/request/response.hpp"

#include <string_view>

namespace alli::proxy {

/// The response to a preflight whose page may call. `asked`: its headers. What it asks for is granted for ten minutes.
Response preflight_response(const Headers& asked);

/// Lets a page of that origin read the answer.
void share_with(Response& response, std::string_view origin);

} // namespace alli::proxy
