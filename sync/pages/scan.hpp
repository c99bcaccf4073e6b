// SPDX-License-Identifier: Apache-2.0
// The pages of a window, for a loop: next page, look at it, commit it with its chats and the range that it verifies.
// The next page is requested while the last one is being committed.
#pragma once

#include "sync/pages/ingest.hpp"
#include "sync/pages/paginator.hpp"

namespace alli::sync {

class Scan {
  public:
    /// `paginator` must outlive it.
    Scan(SyncContext context, Paginator& paginator, IngestOptions options)
        : context_(context), paginator_(paginator), options_(options)
    {}

    /// The next page; none behind the last. A page is requested again while the failure is temporary, and narrowed down
    /// and passed by while it cannot be read. Throws what is left: when it concerns all, or when nothing below was
    /// readable.
    Task<std::optional<Page>> next();

    /// Takes the conversations of the page. `in_commit` runs before its rows are put. `enough`: none need come after
    /// it.
    Task<Ingested> commit(Page& page, const InCommit& in_commit, bool enough = false);

  private:
    Task<> request_ahead();
    Task<> put(Page& page, const InCommit& in_commit, Ingested* done);

    SyncContext context_;
    Paginator& paginator_;
    IngestOptions options_;
    std::optional<Page> ahead_;
    bool begun_ = false, over_ = false;
};

/// How far before a pass's start its certainty ends: the second that `Date` is cut to.
inline constexpr std::chrono::seconds date_grain{1};

} // namespace alli::sync
