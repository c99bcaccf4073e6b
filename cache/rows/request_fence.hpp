// SPDX-License-Identifier: Apache-2.0
// Request fence: each conversation has the sequence number of the newest request whose response was stored, so that the
// response to an older request that arrives later does not overwrite it. Held in a temporary table of mirror.db's
// connection, so that it is rolled back with the rows.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/writer.hpp"

#include <cstdint>
#include <unordered_set>

namespace alli::cache {

void make_request_fence(Writer& db); // once a connection

/// Whether a response to a newer request was stored, or told that the conversation is gone.
bool is_superseded(Writer& db, const ConversationId& id, std::uint64_t number);
/// All of which one was.
std::unordered_set<ConversationId> load_superseded(Writer& db, std::uint64_t number);
void raise_request_fence(Writer& db, const ConversationId& id, std::uint64_t number);

/// No request with a smaller number is under way any more.
void drop_request_fences_before(Writer& db, std::uint64_t number);

} // namespace alli::cache
