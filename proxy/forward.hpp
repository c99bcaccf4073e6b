// SPDX-License-Identifier: Apache-2.0
// A read of the contract that upstream answers: asked once for all who wait for the same, kept where it can be, and
// given the same tags as an answer of ours. Runs on a proxy loop.
#pragma once

#include "alli/error.hpp"
#include "proxy/flights.hpp"
#include "proxy/keep.hpp"
#include "proxy/relay.hpp"

namespace alli::proxy {

/// Asks as a GET, without what was meant for our own copy (If-None-Match, Range). Requests that name a user are not
/// shared: upstream attributes them.
Task<Landing> forward_read(const Context& cx, const Request& rq, Kept kept);

/// Upstream's answer as ours. Throws Error{bad_reply} for a redirect.
Response forwarded_response(const Landing& landing, const Request& rq, Why why);

/// None: no failure of ours.
std::optional<Fault> fault_of(const std::exception_ptr& failure);
/// No answer, none now, or none that can be read: no word about what was asked.
bool is_no_word(Fault fault) noexcept;
/// An answer that means "not now", or "not with this key": no word about what was asked.
bool is_trouble(int status) noexcept;

/// When the mirror was last compared with upstream; none: never.
std::optional<Instant> verified_at(const Context& cx);

/// Has the engine poll, and waits until it did, begun at `since` or later. False when that did not come about.
Task<bool> poll(const Context& cx, Instant since);

} // namespace alli::proxy
