// SPDX-License-Identifier: Apache-2.0
// What the mirror does not answer goes upstream as it came, and its answer back: path and query byte for byte, headers
// but for those that belong to one connection or to us. What no route reads streams, both ways, over connections of
// this loop. Never stores. Runs on a proxy loop.
#pragma once

#include "proxy/context.hpp"

namespace alli::proxy {

/// Throws what Needs::relay throws, Error{unreachable} above all.
Task<Response> relay(const Context& cx, const Request& rq, std::chrono::milliseconds deadline);
/// The API never redirects: whoever answers so is somebody else. Throws Error{bad_reply}. For the contract's routes.
void require_no_redirect(const Response& response);

// Handlers. The first answers 504 when upstream is away, by its surface.
Task<Response> relay_read(const Context& cx, const Request& rq);
Task<Response> is_running(const Context& cx, const Request& rq);
Task<Response> relay_other(const Context& cx, const Request& rq);

// Pure parts.
upstream::Request relayed_request(const Request& rq);
Response relayed_response(upstream::Reply reply, Origin origin);
/// Of a streamed request. `read_here`: its reply is read on the way, so that it must not be compressed for the app.
upstream::Opening opening_of(const Request& rq, bool read_here);
Response passed_response(upstream::Reply reply);

} // namespace alli::proxy
