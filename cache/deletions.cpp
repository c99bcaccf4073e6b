// SPDX-License-Identifier: Apache-2.0
#include "cache/deletions.hpp"

#include "cache/conversations.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/suppression_list.hpp"

namespace alli::cache {

bool mark_deleted(Writer& db, const ConversationId& id, Instant now)
{
    clear_deletion_candidate(db, id);
    if (!erase_conversation(db, id)) return false;
    db.run("INSERT OR REPLACE INTO tombstone (id, deleted_at) VALUES (?1, ?2)", id.value, now);
    note_change(db, id, ChangeKind::deleted);
    return true;
}

bool is_deleted(Reader& db, const ConversationId& id)
{
    return db.exists("SELECT 1 FROM tombstone WHERE id = ?1", id.value);
}

void note_deletion_candidate(Writer& db, const ConversationId& id, Instant now)
{
    if (is_purged(db, id)) return; // purged while upstream was asked
    db.run("INSERT OR IGNORE INTO suspect (id, noticed_at) VALUES (?1, ?2)", id.value, now);
}

bool clear_deletion_candidate(Writer& db, const ConversationId& id)
{
    return db.run("DELETE FROM suspect WHERE id = ?1", id.value) > 0;
}

bool is_deletion_candidate(Reader& db, const ConversationId& id)
{
    return db.exists("SELECT 1 FROM suspect WHERE id = ?1", id.value);
}

std::int64_t count_deletion_candidates(Reader& db)
{
    return db.one<std::int64_t>("SELECT count(*) FROM suspect").value_or(0);
}

std::vector<ConversationId> load_deletion_candidates(Reader& db, int limit)
{
    return db.all<ConversationId>("SELECT id FROM suspect ORDER BY noticed_at, id LIMIT ?1", limit);
}

} // namespace alli::cache
