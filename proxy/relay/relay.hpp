// SPDX-License-Identifier: Apache-2.0
// Passes a request on to upstream and its reply back: path and query byte for byte, without the headers that belong to
// one connection or to us. What no route reads is streamed, both ways, over connections of this loop. Never stores.
// Runs on a proxy loop.
#pragma once

#include "proxy/request/context.hpp"

#include <span>
#include <string_view>

namespace alli::proxy {

/// Throws what UpstreamAccess::send throws, Error{unreachable} above all.
Task<Response> relay(const Context& cx, const Request& rq, std::chrono::milliseconds deadline);
/// Throws Error{bad_reply} for a redirect: the API has none, so another server answered. For the contract's routes.
void require_no_redirect(const Response& response);

// Handlers. The first answers 504 when upstream is away, by its surface.
Task<Response> relay_read(const Context& cx, const Request& rq);
Task<Response> is_running(const Context& cx, const Request& rq);
Task<Response> relay_other(const Context& cx, const Request& rq);

// Pure parts.
/// Whether a header's name is among these, whatever their case.
bool is_one_of(std::span<const std::string_view> names, std::string_view name) noexcept;
upstream::Request relayed_request(const Request& rq);
Response relayed_response(upstream::Reply reply, ResponseOrigin origin);
/// Of a streamed request. `read_here`: its reply is read on the way, so that it must not be compressed for the app.
upstream::StreamRequest opening_of(const Request& rq, bool read_here);
Response passed_response(upstream::Reply reply);

} // namespace alli::proxy
