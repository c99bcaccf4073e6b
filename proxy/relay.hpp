// SPDX-License-Identifier: Apache-2.0
// What the mirror does not answer goes upstream as it came, and its answer back: path and query byte for byte, headers
// but for those that belong to one connection or to us. What no route reads streams, both ways, over connections of
// this loop. Never stores. Runs on a proxy loop.
#pragma once

#include "proxy/routes.hpp"

namespace alli::proxy {

/// Why a request goes upstream, as Cache-Status names it: the mirror does not know, what it knows is too old, the
/// client asked for it, or the mirror never would know.
enum class Why { miss, stale, request, bypass };
std::string_view forward_reason(Why why) noexcept; // "fwd=miss"

/// Throws what Needs::relay throws, Error{unreachable} above all.
Task<Response> relay(const Context& cx, const Request& rq, Why why, std::chrono::milliseconds deadline);
/// The API never redirects: whoever answers so is somebody else. Throws Error{bad_reply}. For the contract's routes.
void require_no_redirect(const Response& response);

// Handlers. The first answers 504 when upstream is away, by its surface.
Task<Response> relay_read(const Context& cx, const Request& rq);
Task<Response> is_running(const Context& cx, const Request& rq);
Task<Response> relay_other(const Context& cx, const Request& rq);

// Pure parts.
bool is_about_conversations(std::string_view path);
/// The conversation that a request is about, if any.
std::optional<std::string> conversation_of(std::string_view path);
upstream::Request relayed_request(const Request& rq);
Response relayed_response(upstream::Reply reply, Why why);
/// Unread both ways: with the app's Accept-Encoding, and the length of what comes back.
upstream::Opening opening_of(const Request& rq);
Response passed_response(upstream::Reply reply);

} // namespace alli::proxy
