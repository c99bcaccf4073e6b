// SPDX-License-Identifier: Apache-2.0
// Full-text search as an endpoint: parameters in the target, or a JSON object in the body for what is too long for one.
// The answer comes from the mirror alone. docs/search.md has the contract.
#pragma once

#include "proxy/request/context.hpp"

namespace alli::proxy {

Task<Response> mirror_search(const Context& cx, const Request& rq);
Task<Response> mirror_search_by_body(const Context& cx, const Request& rq);

} // namespace alli::proxy
