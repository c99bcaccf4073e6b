// SPDX-License-Identifier: Apache-2.0
// A line of the log for each local request: what was asked, as an operation, never as a path, which may hold ids; what
// it got, from where, and in what time. Any thread.
#pragma once

#include "proxy/answer.hpp"
#include "proxy/guard.hpp"
#include "proxy/request.hpp"

#include <chrono>
#include <exception>

namespace alli::proxy {

/// `failure`: what kept a handler from an answer of its own; null: nothing.
void log_request(const Request& rq, const Response& response, const std::exception_ptr& failure,
                 std::chrono::nanoseconds took);

/// One that was refused before it was looked at.
void log_refusal(const Refusal& refusal, const Peer& peer);

} // namespace alli::proxy
