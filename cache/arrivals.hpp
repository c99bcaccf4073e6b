// SPDX-License-Identifier: Apache-2.0
// Of several answers that are under way at once, which one a conversation was last put from: what was asked for earlier
// and arrives later must not replace it. Kept in memory beside mirror.db's rows, and undone with them.
#pragma once

#include "alli/ids.hpp"
#include "cache/sqlite.hpp"

#include <cstdint>
#include <unordered_set>

namespace alli::cache {

void make_arrivals(Writer& db); // once a connection

/// Whether an answer with a higher number was put, or said that it is gone.
bool is_outrun(Writer& db, const ConversationId& id, std::uint64_t number);
/// All of which one was.
std::unordered_set<ConversationId> load_superseded(Writer& db, std::uint64_t number);
void note_arrival(Writer& db, const ConversationId& id, std::uint64_t number);

/// Nobody is under way any more who asked before this one.
void forget_arrivals_before(Writer& db, std::uint64_t number);

} // namespace alli::cache
