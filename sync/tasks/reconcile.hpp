// SPDX-License-Identifier: Apache-2.0
// Which comparison with upstream is due, and the next one of them: the scan for conversations
// without a chat, the oldest-verified range of time, the daily counts. Runs on the engine's loop.
#pragma once

#include "sync/tasks/tasks.hpp"

namespace alli::sync {

class Reconcile {
  public:
    Reconcile(SyncContext context, std::chrono::microseconds interval) : context_(context), interval_(interval) {}

    bool chatless_scan_due() const;
    bool range_due() const;
    bool counts_due() const;
    bool deletion_candidates_due(Deletions deletions) const; // a person has said so, and there are some

    Task<> run_chatless_scan(Deletions deletions);
    /// After the first page of a backfill, as far as it costs next to nothing.
    Task<> run_chatless_end_scan(SyncContext backfill, std::optional<Front> front, Deletions deletions);
    /// A turn of what is due: about a minute, or a page, for others wait. The next one goes on from there.
    Task<> reconcile_next_range(Deletions deletions);
    Task<> run_counts();
    Task<> settle_deletion_candidates(Deletions deletions);

  private:
    cache::Progress progress() const;
    bool is_old(std::optional<Instant> when) const;
    Instant stale_before() const;
    std::optional<cache::Span> find_ahead() const;

    SyncContext context_;
    std::chrono::microseconds interval_;
    std::optional<Clock::Steady> ends_read_; // in vain, then
};

} // namespace alli::sync
