// SPDX-License-Identifier: Apache-2.0
// Which comparison with upstream is due, and the next one of them: the census of conversations without a chat, the
// oldest-verified stretch of time, the daily counts. Runs on the engine's loop.
#pragma once

#include "sync/passes.hpp"

namespace alli::sync {

class Reconcile {
  public:
    Reconcile(Tools tools, std::chrono::microseconds interval) : tools_(tools), interval_(interval) {}

    bool census_due() const;
    bool sweep_due() const;
    bool counts_due() const;
    bool suspects_due(Deletions deletions) const; // a person has said so, and there are some

    Task<> run_census(Deletions deletions, Duties duties);
    /// After the first page of a backfill, as far as it costs next to nothing.
    Task<> run_census_by_ends(std::optional<Front> front, Deletions deletions, Duties duties);
    /// A turn of what is due: about a minute, or a page, for others wait. The next one goes on from there.
    Task<> run_sweep(Deletions deletions, Duties duties);
    Task<> run_counts(Duties duties);
    Task<> settle_suspects(Deletions deletions, Duties duties);

  private:
    cache::Progress progress() const;
    bool is_old(std::optional<Instant> when) const;
    Instant stale_before() const;
    std::optional<cache::Span> find_ahead() const;

    Tools tools_;
    std::chrono::microseconds interval_;
    std::optional<Clock::Steady> ends_read_; // in vain, then
};

} // namespace alli::sync
