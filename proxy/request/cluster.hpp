// SPDX-License-Identifier: Apache-2.0
// What a request means at one node of several: who leads, and how far a node has to be for whoever was at
// another one before (the header Mirror-Position). Where this machine is alone nothing of it applies. Any proxy loop.
#pragma once

#include "proxy/request/context.hpp"

#include <string>

namespace alli::proxy {

/// True at a node that does not lead: it delivers no writes, compares nothing with upstream, and keeps nothing that the
/// leader does not have.
bool follows(const Backend& backend);

/// "this node does not lead, db-2 does"
std::string say_who_leads(const Backend& backend);

/// Its 503, for a moment: a load balancer, or the app itself, finds the node that leads.
Response leader_needed(const Context& cx, ErrorFormat error_format);

/// The 503 of a write that what the nodes share did not take, or not for certain: ClusterNode::accept threw `why`.
Response not_accepted(const Error& why, bool has_key);

/// Until the other nodes can hear of what was noted, a second at most; not where the database is away, then this
/// node's own barrier has to do.
Task<> wait_until_told(const Backend& backend, std::optional<std::uint64_t> note);

/// The position that a node has to have that answers no worse than this one, which is at `position`: what this one told
/// the others, they have to have heard.
std::int64_t heard_of_by(const Backend& backend, std::int64_t position);

/// What a node that follows gave to an app and does not keep. `conversation`: none: a list.
void leave_to_leader(const Backend& backend, const std::optional<ConversationId>& conversation);

/// By which the age of what is held counts: at a node that follows the clock that all nodes share.
Instant shared_now(const Backend& backend);

/// Waits until this node is as far as the request's Mirror-Position, a second at most; else the request is `behind`.
/// Throws Error{usage} for a header that is no such number. Returns this node's position from then on; none: it is of
/// no cluster.
Task<std::optional<std::int64_t>> wait_for_position(const Context& cx, Request& rq);

} // namespace alli::proxy
