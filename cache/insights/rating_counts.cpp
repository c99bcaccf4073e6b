// SPDX-License-Identifier: Apache-2.0
#include "cache/insights/rating_counts.hpp"

namespace alli::cache {

std::vector<RatingCounts> count_ratings(Reader& db, std::span<const ConversationId> ids)
{
    std::vector<RatingCounts> rated;
    for (const ConversationId& id : ids)
        for (const Row row :
             db.query("SELECT coalesce(sum(r.facts & 4 <> 0), 0), coalesce(sum(r.facts & 2 <> 0), 0)"
                      " FROM conversation c JOIN chat_row r ON r.place >= c.pk << 24 AND r.place < (c.pk + 1) << 24"
                      " WHERE c.id = ?1",
                      id.value))
            if (row.integer(0) + row.integer(1) > 0) rated.push_back({id, row.integer(0), row.integer(1)});
    return rated;
}

} // namespace alli::cache
