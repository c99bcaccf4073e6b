// SPDX-License-Identifier: Apache-2.0
// The page at `/` and what it consists of (page/), embedded at build time. Holds no data: that the page asks for
// like any local app. Pure: any thread.
#pragma once

#include "page/assets.hpp"
#include "proxy/request/context.hpp"

#include <string_view>

namespace alli::proxy {

Task<Response> serve_page(const Context&, const Request& rq);
Task<Response> serve_asset(const Context&, const Request& rq);
Task<Response> serve_description(const Context&, const Request& rq); // docs/openapi.json, our own endpoints

/// What `/` is for who has no session: how to get one. 401, no data.
Response sign_in_page(std::string_view accepted_codings);

} // namespace alli::proxy
