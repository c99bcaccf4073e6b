// SPDX-License-Identifier: Apache-2.0
// What upstream no longer has. A conversation that a 404 confirmed leaves rows, lists and index at once and leaves a
// tombstone; where too many go at once they are only suspected, until a person has said so.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/writer.hpp"

#include <vector>

namespace alli::cache {

/// True when there was one.
bool mark_deleted(Writer& db, const ConversationId& id, Instant now);
bool is_deleted(Reader& db, const ConversationId& id);

void note_deletion_candidate(Writer& db, const ConversationId& id, Instant now);
bool clear_deletion_candidate(Writer& db, const ConversationId& id);
bool is_deletion_candidate(Reader& db, const ConversationId& id);
std::int64_t count_deletion_candidates(Reader& db);
std::vector<ConversationId> load_deletion_candidates(Reader& db, int limit);

} // namespace alli::cache
