// SPDX-License-Identifier: Apache-2.0
#include "cache/lists/daily_counts.hpp"

namespace alli::cache {

std::vector<std::int64_t> count_daily(Reader& db, std::chrono::sys_days first, std::chrono::sys_days last,
                                      const Visibility& seen)
{
    const Instant from = first, to = last + std::chrono::days{1};
    std::vector<std::int64_t> counts(static_cast<std::size_t>((last - first).count()) + 1);
    const bool whole = seen.is_whole();
    for (const Row row :
         whole ? db.query("SELECT (created_at - ?1) / 86400000000, count(*) FROM conversation"
                          " INDEXED BY conversation_by_creation WHERE created_at >= ?1 AND created_at < ?2 GROUP BY 1",
                          from, to)
               : db.query("SELECT (created_at - ?1) / 86400000000, count(*) FROM conversation"
                          " INDEXED BY conversation_by_creation WHERE created_at >= ?1 AND created_at < ?2"
                          " AND (?3 = '' OR app_id = ?3) AND (?4 = '' OR user_id = ?4) GROUP BY 1",
                          from, to, seen.app, seen.user))
        counts[static_cast<std::size_t>(row.integer(0))] = row.integer(1);
    return counts;
}

std::optional<std::chrono::sys_days> first_day(Reader& db)
{
    const auto oldest = db.one<Instant>("SELECT min(created_at) FROM conversation");
    if (!oldest) return std::nullopt;
    return std::chrono::floor<std::chrono::days>(*oldest);
}

std::vector<ConversationId> ids_created_on(Reader& db, std::chrono::sys_days day)
{
    const Instant from = day, to = day + std::chrono::days{1};
    return db.all<ConversationId>("SELECT id FROM conversation WHERE created_at >= ?1 AND created_at < ?2", from, to);
}

} // namespace alli::cache
