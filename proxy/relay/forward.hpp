// SPDX-License-Identifier: Apache-2.0
// A read of the contract that upstream answers: sent once for all who ask for the same at a time, kept where that is
// possible, and given the same tags as a response of ours. Runs on a proxy loop.
#pragma once

#include "alli/error.hpp"
#include "proxy/relay/cache_fill.hpp"
#include "proxy/relay/coalescing.hpp"
#include "proxy/request/context.hpp"

namespace alli::proxy {

/// Asks as a GET, without what was meant for our own copy (If-None-Match, Range). Requests that name a user are not
/// shared: upstream attributes them.
Task<SharedReply> forward_read(const Context& cx, const Request& rq, FillTarget target);

/// Upstream's reply as our response. Throws Error{bad_reply} for a redirect.
Response forwarded_response(const SharedReply& shared, const Request& rq, ResponseOrigin origin);

/// False for a reply that bears another id: it is passed on to whoever asked, and never kept.
bool is_reply_about(const ReadSubject& subject, const upstream::Reply& reply);

/// No reply, none now, or none that can be read: it says nothing about what was asked.
bool is_upstream_failure(Fault fault) noexcept;
/// A status that means "not now", or "not with this key": it says nothing about what was asked.
bool is_unusable_status(int status) noexcept;

} // namespace alli::proxy
