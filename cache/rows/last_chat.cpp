// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/last_chat.hpp"

#include "cache/rows/conversation_rows.hpp"

namespace alli::cache {

bool is_streaming(Reader& db, std::int64_t pk, Instant since)
{
    if (!db.exists("SELECT 1 FROM chat_row WHERE conversation = ?1 AND completed = 0 LIMIT 1", pk)) return false;
    return db.exists("SELECT 1 FROM conversation WHERE pk = ?1 AND last_chat_at > ?2", pk, since);
}

bool has_incomplete(Reader& db, const ConversationId& id, std::int64_t from)
{
    const auto pk = find_pk(db, id);
    return pk && db.exists("SELECT 1 FROM chat_row WHERE conversation = ?1 AND ordinal >= ?2 AND completed = 0 LIMIT 1",
                           *pk, from);
}

bool ends_with_question(Reader& db, const ConversationId& id)
{
    const auto pk = find_pk(db, id);
    return pk && db.exists("SELECT 1 FROM chat_row WHERE conversation = ?1 AND sender = 'USER' AND ordinal ="
                           " (SELECT held - 1 FROM conversation WHERE pk = ?1)",
                           *pk);
}

} // namespace alli::cache
