// SPDX-License-Identifier: Apache-2.0
// The conversations that filters leave, as a list: where they ask something of chats, in the order of their newest chat
// that holds it, else newest chat first. Knows nothing of coverage.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/sqlite.hpp"
#include "cache/search/search_query.hpp"

#include <vector>

namespace alli::cache {

struct MatchingList {
    std::vector<ConversationId> ids;
    bool more = false;
    std::vector<UnknownFilter> unknown_filters;
};

/// Of `query` its words, filters and view count.
MatchingList list_matching(Reader& db, const SearchQuery& query, int limit, int offset = 0);

} // namespace alli::cache
