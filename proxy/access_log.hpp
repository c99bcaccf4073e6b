// SPDX-License-Identifier: Apache-2.0
// A log line for each local request: its operation (never the path, which may hold ids), status, origin and duration.
// Any thread.
#pragma once

#include "proxy/access/guard.hpp"
#include "proxy/request/request.hpp"
#include "proxy/request/response.hpp"

#include <chrono>
#include <exception>

namespace alli::proxy {

/// `failure`: what the handler threw; null: nothing.
void log_request(const Request& rq, const Response& response, const std::exception_ptr& failure,
                 std::chrono::nanoseconds took);

/// A request that the parser or the guard refused.
void log_refusal(const Refusal& refusal, const Peer& peer);

} // namespace alli::proxy
