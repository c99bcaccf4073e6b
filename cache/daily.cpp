// SPDX-License-Identifier: Apache-2.0
#include "cache/daily.hpp"

namespace alli::cache {

std::vector<std::int64_t> count_daily(Reader& db, std::chrono::sys_days first, std::chrono::sys_days last)
{
    const Instant from = first, to = last + std::chrono::days{1};
    std::vector<std::int64_t> counts(static_cast<std::size_t>((last - first).count()) + 1);
    for (const Row row : db.query(
             "SELECT (created_at - ?1) / 86400000000, count(*) FROM conversation INDEXED BY conversation_by_creation"
             " WHERE created_at >= ?1 AND created_at < ?2 GROUP BY 1",
             from, to))
        counts[static_cast<std::size_t>(row.integer(0))] = row.integer(1);
    return counts;
}

} // namespace alli::cache
