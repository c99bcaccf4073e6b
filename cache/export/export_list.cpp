// SPDX-License-Identifier: Apache-2.0
#include "cache/export/export_list.hpp"

#include "cache/lists/summaries.hpp"
#include "cache/search/search.hpp"

namespace alli::cache {

ExportList::ExportList(std::optional<SearchQuery> query, Visibility visible)
    : query_(std::move(query)), visible_(std::move(visible))
{
    if (!query_) return;
    constexpr int at_once = 100;
    query_->grouped = true;
    query_->limit = at_once;
    query_->context = 0;
    query_->cursor.reset();
    query_->visible = visible_;
}

std::vector<ConversationId> ExportList::next(Reader& db)
{
    std::vector<ConversationId> fresh;
    while (fresh.empty() && !over_)
        for (ConversationId& id : query_ ? next_found(db) : next_of_all(db))
            if (!seen_.contains(id.value)) fresh.push_back(std::move(id));
    return fresh;
}

std::vector<ConversationId> ExportList::next_of_all(Reader& db)
{
    constexpr int step = 500;
    std::vector<ConversationId> ids = list_ids(db, after_, step);
    over_ = std::ssize(ids) < step;
    if (!ids.empty()) after_ = ids.back();
    if (!visible_.is_whole())
        std::erase_if(ids, [&](const ConversationId& id) { return !is_visible(db, id, visible_); });
    return ids;
}

std::vector<ConversationId> ExportList::next_found(Reader& db)
{
    SearchResult found = search(db, *query_);
    if (!query_->cursor) unknown_ = std::move(found.unknown_filters);
    query_->cursor = found.next;
    over_ = !found.next;
    std::vector<ConversationId> ids;
    for (SearchHit& hit : found.hits) ids.push_back({std::move(hit.conversation_id)});
    return ids;
}

} // namespace alli::cache
