// SPDX-License-Identifier: Apache-2.0
#include "cache/insights/rating_counts.hpp"

namespace alli::cache {

std::vector<RatingCounts> count_ratings(Reader& db, std::span<const ConversationId> ids)
{
    std::vector<RatingCounts> rated;
    for (const ConversationId& id : ids)
        for (const Row row : db.query("SELECT count(*), coalesce(sum(rating), 0) FROM chat_fact"
                                      " WHERE rating IS NOT NULL AND conversation ="
                                      " (SELECT pk FROM conversation WHERE id = ?1)",
                                      id.value))
            if (row.integer(0) > 0) rated.push_back({id, row.integer(1), row.integer(0) - row.integer(1)});
    return rated;
}

} // namespace alli::cache
