// SPDX-License-Identifier: Apache-2.0
// /mirror/v1/outbox: the writes that wait, failed or are in conflict, and what a person decides about them. Runs on a
// proxy loop; what changes something is done on the engine's.
#pragma once

#include "cache/rows/visibility.hpp"
#include "proxy/request/context.hpp"

namespace alli::proxy {

Task<Response> list_outbox(const Context& cx, const Request& rq); // state, limit, cursor
Task<Response> get_outbox_entry(const Context& cx, const Request& rq);
Task<Response> retry_outbox_entry(const Context& cx, const Request& rq);
Task<Response> discard_outbox_entry(const Context& cx, const Request& rq);

Response no_such_entry();
bool is_entry_in_view(const Context& cx, std::string_view id, const cache::Visibility& seen);

} // namespace alli::proxy
