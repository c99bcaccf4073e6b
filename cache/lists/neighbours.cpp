// SPDX-License-Identifier: Apache-2.0
#include "cache/lists/neighbours.hpp"

namespace alli::cache {

std::vector<Neighbour> find_neighbours(Reader& db, const ConversationId& id, Side side, int limit)
{
    const auto from = db.one<Instant>("SELECT last_chat_at FROM conversation WHERE id = ?1", id.value);
    if (!from) return {};
    const auto read = [](const Row& row) { return Neighbour{row.get<ConversationId>(0), row.get<Instant>(1)}; };
    if (side == Side::older)
        return db.all(read,
                      "SELECT id, last_chat_at FROM conversation WHERE last_chat_at <= ?1"
                      " AND (last_chat_at < ?1 OR id <= ?2) ORDER BY last_chat_at DESC, id DESC LIMIT ?3",
                      *from, id.value, limit);
    return db.all(read,
                  "SELECT id, last_chat_at FROM conversation WHERE last_chat_at >= ?1"
                  " AND (last_chat_at > ?1 OR id >= ?2) ORDER BY last_chat_at, id LIMIT ?3",
                  *from, id.value, limit);
}

} // namespace alli::cache
