// SPDX-License-Identifier: Apache-2.0
// The whole way of a request from the guard to its response: route, scope, view, body, handler, log line. Runs on a
// proxy loop.
#pragma once

#include "proxy/request/context.hpp"

namespace alli::proxy {

/// Never throws.
Task<Response> answer(const Context& cx, Request& rq);

} // namespace alli::proxy
