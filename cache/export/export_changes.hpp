// SPDX-License-Identifier: Apache-2.0
// What an export that goes on from an earlier one has to write: the change feed since then, once a conversation.
#pragma once

#include "cache/export/export_tables.hpp"
#include "cache/search/search_query.hpp"

#include <vector>

namespace alli::cache {

struct ExportChanges {
    ExportState now;       // before any of it is read: what changes meanwhile comes the next time
    bool complete = false; // false: the feed does not reach back so far; everything is to be written
    std::vector<ConversationId> changed, deleted;
};
ExportChanges load_export_changes(Reader& db, const ExportState& since);

/// Of those, the ones in which a search finds something now.
std::vector<ConversationId> keep_found(Reader& db, const SearchQuery& query, const std::vector<ConversationId>& ids);

} // namespace alli::cache
