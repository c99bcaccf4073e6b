// SPDX-License-Identifier: Apache-2.0
// Verifies a range of last chat time while it is scanned: which part each page completes, which conversations are held
// there but were not listed, and the mark in the page's commit.
#pragma once

#include "sync/pages/scan.hpp"
#include "sync/tasks/tasks.hpp"

#include <unordered_map>

namespace alli::sync {

class RangeVerifier {
  public:
    RangeVerifier(SyncContext context, cache::Span span, Deletions deletions, upstream::Priority priority)
        : context_(context), span_(span), open_(span.through == Instant::max()), deletions_(deletions),
          priority_(priority)
    {}

    /// Before a page is committed: takes its part, and asks about those that are missing from it.
    Task<> compare(const Page& page);

    /// In its commit. An open-ended span marks no coverage.
    void mark_verified(cache::Writer& db, const Page& page);

    /// The span ends here: known when the first page came.
    void end_at(Instant through)
    {
        span_.through = through;
        open_ = false;
    }
    /// It has no end.
    bool is_open() const { return open_; }

    /// What no page has completed yet, at the lower end.
    cache::Span left() const { return {span_.from, std::max(span_.from, span_.through)}; }

  private:
    void take(const Page& page);
    std::vector<ConversationId> absent() const;

    SyncContext context_;
    cache::Span span_; // what is left of it, below
    bool open_;
    Deletions deletions_;
    upstream::Priority priority_;       // of the scan, which waits for what is asked about those that are missing
    cache::Span part_;                  // what the page at hand completes
    std::vector<Unreadable> passed_by_; // and reaching into what is left: a later page does not list it either
    std::unordered_map<ConversationId, Instant> seen_; // and where: those above what is left are forgotten
};

/// After which pages of a scan down a span it may end, for another to go on there.
class SplitPoints {
  public:
    explicit SplitPoints(cache::Span span) : through_(span.through) {}

    /// Asked for every page. Not within a chain of pages of one time, nor on the way past what cannot be read, nor
    /// above the span, where windows overlap: whoever goes on from there would begin the same anew.
    bool is_at(const Page& page);

  private:
    Instant through_;
    std::optional<Instant> reached_;
};

} // namespace alli::sync
