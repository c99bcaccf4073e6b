// SPDX-License-Identifier: Apache-2.0
#include "cache/export/export_changes.hpp"

#include "cache/export/export_list.hpp"
#include "cache/rows/change_feed.hpp"

#include <unordered_set>

namespace alli::cache {

static void read_feed(Reader& db, std::int64_t since, ExportChanges& changes)
{
    constexpr int page = 1000;
    std::unordered_set<std::string> seen; // of several kinds of change
    for (auto more = load_changes(db, since, page); !more.empty(); more = load_changes(db, since, page)) {
        for (Change& one : more) {
            auto& list = one.kind == name_of(ChangeKind::deleted) ? changes.deleted : changes.changed;
            if (!one.conversation.value.empty() && seen.insert(one.conversation.value).second)
                list.push_back(std::move(one.conversation));
        }
        since = more.back().seq;
    }
}

ExportChanges load_export_changes(Reader& db, const ExportState& since)
{
    ExportChanges changes;
    db.script("BEGIN");
    changes.now = export_state(db, since.what);
    changes.complete = since.position > 0 && load_feed_bounds(db).hold(since.position);
    if (changes.complete) read_feed(db, since.position, changes);
    db.script("COMMIT");
    return changes;
}

std::vector<ConversationId> keep_found(Reader& db, const SearchQuery& query, const std::vector<ConversationId>& ids)
{
    std::unordered_set<std::string_view> wanted;
    for (const ConversationId& id : ids) wanted.insert(id.value);
    std::vector<ConversationId> found;
    ExportList list(query, {});
    for (auto some = list.next(db); !some.empty(); some = list.next(db))
        for (ConversationId& id : some) {
            list.written(id);
            if (wanted.contains(id.value)) found.push_back(std::move(id));
        }
    return found;
}

} // namespace alli::cache
