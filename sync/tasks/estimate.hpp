// SPDX-License-Identifier: Apache-2.0
// How much there is to read, for a backfill that takes long: told by upstream's daily counts, or else by the time that
// is left. Two requests, once. Runs on the engine's loop.
#pragma once

#include "sync/pages/context.hpp"

namespace alli::sync {

/// One conversation at most: that of the oldest chat, where upstream heeds the order.
Task<upstream::Listed> list_oldest(SyncContext context);

class Estimate {
  public:
    /// Asks upstream what it takes to tell.
    static Task<Estimate> ask(SyncContext context);

    /// From 0 to 1, when so many conversations are held; none while it cannot be told.
    std::optional<double> fraction(cache::Reader& db, std::int64_t held) const;

  private:
    std::optional<Instant> oldest_;
    std::int64_t total_ = 0; // conversations; 0: not known
};

/// How far a backfill is, and how long it will take.
class Forecast {
  public:
    explicit Forecast(SyncContext context) : context_(context) {}

    void count_page(std::int64_t conversations); // after every page, what was new in it
    bool wants_turn() const { return wants_turn_; }
    Task<> take_turn(); // asks upstream, once, when it is clear that it takes long

    std::optional<double> fraction() const { return fraction_; }
    std::optional<double> seconds_left() const;

  private:
    SyncContext context_;
    std::optional<Estimate> estimate_;
    std::optional<double> begun_at_, fraction_; // when it was asked, and now
    Clock::Steady begun_{};
    int pages_ = 0;
    std::int64_t held_ = 0; // conversations: counted once, then added up
    bool wants_turn_ = false;
};

} // namespace alli::sync
