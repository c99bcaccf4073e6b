// SPDX-License-Identifier: Apache-2.0
#include "cache/search/reach.hpp"

#include "cache/chats/facts.hpp"
#include "cache/db/index_batch.hpp"

#include <algorithm>
#include <limits>

namespace alli::cache {

IndexReach load_reach(Reader& db, const Filters& filters)
{
    IndexReach reach;
    if (const auto bound = filters.needs_facts() ? find_fact_bound(db) : std::nullopt) {
        reach.complete = false;
        if (*bound != std::numeric_limits<std::int64_t>::max()) reach.from = Instant{std::chrono::seconds{*bound}};
    }
    for (const IndexKind kind : {IndexKind::chat, IndexKind::conversation}) {
        const auto bound = find_index_bound(db, kind);
        if (!bound) continue;
        reach.complete = false;
        if (kind == IndexKind::chat && *bound != std::numeric_limits<std::int64_t>::max())
            reach.from = std::max(reach.from, std::optional(Instant{std::chrono::seconds{*bound}}));
    }
    return reach;
}

bool reaches_all(Reader& db, const ParsedQuery& parsed)
{
    if (parsed.filters.needs_facts() && find_fact_bound(db)) return false;
    const bool reads_words = !parsed.clauses.empty() || !parsed.filters.users.empty(); // a user may be meant by name
    return !reads_words || (!find_index_bound(db, IndexKind::chat) && !find_index_bound(db, IndexKind::conversation));
}

} // namespace alli::cache
