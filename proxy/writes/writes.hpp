// SPDX-License-Identifier: Apache-2.0
// The contract's writes: checked, committed to the outbox, offered for delivery; upstream's own answer where it comes
// in time, else 202 with what the answer would have been. Nothing is sent or acknowledged before it is committed. Runs
// on a proxy loop.
#pragma once

#include "proxy/request/context.hpp"

namespace alli::proxy {

Task<Response> update_conversation(const Context& cx, const Request& rq);
Task<Response> set_title(const Context& cx, const Request& rq);
Task<Response> rate_chat(const Context& cx, const Request& rq);
Task<Response> bulk_update(const Context& cx, const Request& rq);
Task<Response> delete_conversation(const Context& cx, const Request& rq);
Task<Response> stop_conversation(const Context& cx, const Request& rq);

} // namespace alli::proxy
