// SPDX-License-Identifier: Apache-2.0
// The contract's reads out of the mirror, field for field as upstream sends them. What the mirror cannot know to be
// complete goes upstream; offline it is 504, never a silently partial answer.
#pragma once

#include "proxy/request/context.hpp"

namespace alli::proxy {

Task<Response> list_conversations(const Context& cx, const Request& rq);
Task<Response> list_categories(const Context& cx, const Request& rq);
Task<Response> get_conversation(const Context& cx, const Request& rq);
Task<Response> list_chats(const Context& cx, const Request& rq);
Task<Response> get_chat(const Context& cx, const Request& rq);
Task<Response> count_daily(const Context& cx, const Request& rq);

} // namespace alli::proxy
