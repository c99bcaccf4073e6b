// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/last_chat.hpp"

#include "cache/db/chat_text_key.hpp"
#include "cache/rows/conversation_rows.hpp"

namespace alli::cache {

static bool has_growing(Reader& db, std::int64_t pk, std::int64_t from)
{
    return db.exists("SELECT 1 FROM chat_row INDEXED BY chat_growing WHERE place >= ?1 AND place < ?2"
                     " AND completed = 0 LIMIT 1",
                     chat_text_key(pk, from), chat_text_key(pk + 1, 0));
}

bool is_streaming(Reader& db, std::int64_t pk, Instant since)
{
    if (!has_growing(db, pk, 0)) return false;
    return db.exists("SELECT 1 FROM conversation WHERE pk = ?1 AND last_chat_at > ?2", pk, since);
}

bool has_incomplete(Reader& db, const ConversationId& id, std::int64_t from)
{
    const auto pk = find_pk(db, id);
    return pk && has_growing(db, *pk, from);
}

bool ends_with_question(Reader& db, const ConversationId& id)
{
    const auto pk = find_pk(db, id);
    return pk && db.exists("SELECT 1 FROM chat_row WHERE sender = 'USER' AND place ="
                           " (SELECT pk << 24 | held - 1 FROM conversation WHERE pk = ?1)",
                           *pk);
}

} // namespace alli::cache
