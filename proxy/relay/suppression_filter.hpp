// SPDX-License-Identifier: Apache-2.0
// The suppression filter: a conversation that was purged here and still exists upstream is not shown. A request that
// names it is answered 404, and it is taken out of upstream's replies to the contract's reads. Any thread.
#pragma once

#include "cache/store.hpp"
#include "proxy/request/request.hpp"
#include "proxy/request/response.hpp"
#include "upstream/http.hpp"

#include <optional>
#include <string>

namespace alli::proxy {

/// 404 in upstream's shape.
Response no_such_conversation();

/// Replaces the body that upstream sent, and drops the ETag that belongs to it.
void put_body(upstream::Reply& reply, std::string body);
/// Turns upstream's reply into no_such_conversation().
void become_absent(upstream::Reply& reply);

/// True if the conversation that a path names was purged.
bool is_suppressed(cache::Store& store, const std::optional<ConversationId>& id);

/// Of a read of chats whose conversation the mirror does not hold: the read that tells whose it is, because a purged
/// person's conversations are not shown either. None: the reply itself tells, or nothing was purged.
std::optional<ReadSubject> find_owner(cache::Store& store, const ReadSubject& subject);

/// Takes purged conversations out of upstream's reply with a list, and makes its reply with a purged one a 404. Other
/// replies stay, byte for byte. Throws Error{bad_reply} for what cannot be read.
void suppress_purged(cache::Store& store, OperationId operation, upstream::Reply& reply);

} // namespace alli::proxy
