// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/request_fence.hpp"

namespace alli::cache {

void make_request_fence(Writer& db)
{
    db.script("CREATE TEMP TABLE arrival (conversation TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID");
}

bool is_superseded(Writer& db, const ConversationId& id, std::uint64_t number)
{
    return db.exists("SELECT 1 FROM temp.arrival WHERE conversation = ?1 AND number > ?2", id.value,
                     static_cast<std::int64_t>(number));
}

std::unordered_set<ConversationId> load_superseded(Writer& db, std::uint64_t number)
{
    std::unordered_set<ConversationId> outrun;
    for (const Row row :
         db.query("SELECT conversation FROM temp.arrival WHERE number > ?1", static_cast<std::int64_t>(number)))
        outrun.insert({std::string(row.text(0))});
    return outrun;
}

void raise_request_fence(Writer& db, const ConversationId& id, std::uint64_t number)
{
    db.run("INSERT INTO temp.arrival (conversation, number) VALUES (?1, ?2)"
           " ON CONFLICT (conversation) DO UPDATE SET number = max(number, excluded.number)",
           id.value, static_cast<std::int64_t>(number));
}

void drop_request_fences_before(Writer& db, std::uint64_t number)
{
    db.run("DELETE FROM temp.arrival WHERE number < ?1", static_cast<std::int64_t>(number));
}

} // namespace alli::cache
