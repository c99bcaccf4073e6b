// SPDX-License-Identifier: Apache-2.0
// Time that stands still until a test moves it. Wall and steady clock go together; the wall clock can also jump alone.
// One thread: whoever sleeps, and whoever moves the time, runs on the same loop.
#pragma once

#include "alli/clock.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <map>

namespace support {

class FakeClock final : public alli::Clock {
  public:
    /// 2026-01-31T09:30:00Z, unless told otherwise.
    explicit FakeClock(alli::Instant now = alli::Instant(std::chrono::seconds(1769851800)));

    alli::Instant now() const override { return now_; }
    Steady steady() const override { return steady_; }
    /// A pause of nothing lets the others on the loop go first, and takes no time.
    alli::Task<> sleep(std::chrono::nanoseconds pause) override;

    /// Moves the time and wakes, in order, whoever is due by then; they go on when the loop runs next.
    void advance(std::chrono::nanoseconds by);
    /// Moves the time to the next sleeper and wakes it, and others due at that very time; false when nobody sleeps.
    bool jump_to_next();
    /// The same, if that is no further than `most`; else nothing moves.
    bool jump_to_next_within(std::chrono::nanoseconds most);
    /// The wall clock alone, as a person or NTP sets it.
    void set_now(alli::Instant now) { now_ = now; }

    std::size_t sleepers() const noexcept { return sleepers_.size(); }
    std::chrono::nanoseconds passed() const noexcept { return steady_ - Steady(); }

  private:
    struct Sleeper;
    void move_to(Steady when);

    alli::Instant now_;
    Steady steady_{};
    std::chrono::nanoseconds rest_{0};         // of the wall clock, which counts in microseconds
    std::multimap<Steady, Sleeper*> sleepers_; // in the order of waking: equal times in the order of falling asleep
};

/// Runs what can run without the time moving.
void run_until_idle(boost::asio::io_context& loop);

/// Runs, and lets the time jump to the next sleeper whenever nothing else is left to do, until `done` holds or nothing
/// is left at all. Returns whether `done` holds; gives up (false) after `most` jumps.
bool run_jumping(boost::asio::io_context& loop, FakeClock& clock, const std::function<bool()>& done,
                 std::size_t most = 1'000'000);

} // namespace support
