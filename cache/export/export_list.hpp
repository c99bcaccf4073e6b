// SPDX-License-Identifier: Apache-2.0
// The conversations that an export writes, each once, a batch at a time: all of the mirror in the order of their ids,
// which is the same wherever the same is held and never changes, or those in which a search finds something. Each batch
// is a read of its own.
#pragma once

#include "alli/ids.hpp"
#include "cache/export/seen_ids.hpp"
#include "cache/search/search_query.hpp"

#include <optional>
#include <vector>

namespace alli::cache {

class ExportList {
  public:
    /// `query` none: all that `visible` shows.
    ExportList(std::optional<SearchQuery> query, Visibility visible);

    /// The next ones that were not written yet; empty: there are no more.
    std::vector<ConversationId> next(Reader& db);

    /// One that was gone when it was to be written may be listed again.
    void written(const ConversationId& id)
    {
        if (query_) seen_.insert(id.value);
    }

    /// Filters of the query that are none, as of the first batch.
    const std::vector<UnknownFilter>& unknown_filters() const noexcept { return unknown_; }

  private:
    std::vector<ConversationId> next_of_all(Reader& db);
    std::vector<ConversationId> next_found(Reader& db);

    std::optional<SearchQuery> query_;
    Visibility visible_;
    std::optional<ConversationId> after_;
    bool over_ = false;
    SeenIds seen_; // of a search, which may find one again
    std::vector<UnknownFilter> unknown_;
};

} // namespace alli::cache
