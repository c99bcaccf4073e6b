// SPDX-License-Identifier: Apache-2.0
// The change feed of the conversations in which a query finds something (docs/feed.md). Of those whose row is gone it
// is unknown what it would find: their changes are told, so that a reader can forget them.
#pragma once

#include "cache/rows/change_feed.hpp"
#include "cache/search/search_query.hpp"

#include <vector>

namespace alli::cache {

struct MatchingChanges {
    std::vector<Change> changes;
    std::int64_t through = 0; // the number of the last change that was looked at, or what they were to come after
    bool more = false;        // false: there was no other after it
};

/// Those after `since`, oldest first, at most `limit`, of a bounded number that is looked at. Of what `query.visible`
/// does not show no number is told either, and no deletion.
MatchingChanges load_matching_changes(Reader& db, const SearchQuery& query, std::int64_t since, int limit);

} // namespace alli::cache
