// SPDX-License-Identifier: Apache-2.0
// The circuit breaker: after some failures in a row upstream is left alone, and everybody is told so at once instead of
// waiting for a timeout each. After a pause one request goes as a probe; what becomes of it closes or reopens. Pure;
// the time is handed in. Why so: docs/decisions/0008-one-budget.md
#pragma once

#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "alli/random.hpp"

#include <string>

namespace alli::upstream {

class Breaker {
  public:
    enum class State { closed, open, half_open };
    enum class Pass { go, probe, refused };
    enum class Asker { app, delivery, sync };

    struct Options {
        int failures = 5; // in a row
        std::chrono::nanoseconds shortest = std::chrono::seconds(5);
        std::chrono::nanoseconds longest = std::chrono::seconds(25); // with what a probe takes: within 30 s
    };

    /// `random` must outlive it.
    Breaker(Random& random, Options options) : random_(random), options_(options) {}

    /// May a request go? A probe must be followed by one of answered, failed and probe_lost. A local app is the probe
    /// before it is due, but no sooner than a second after the last one, and twice as long as that one took: where
    /// connecting takes its whole timeout, not every app sits through it. Delivery has pauses of its own, which promise
    /// more than ours do (docs/decisions/0007-how-writes-are-delivered.md): it is the probe whenever there is none.
    Pass ask(Clock::Steady now, Asker asker);

    void answered();
    /// `probe`: it was the probe that failed. Failures of requests that went before it opened change nothing more.
    void failed(Clock::Steady now, Fault fault, std::string words, bool probe);
    /// The probe ended without a verdict (it was cancelled): the next request is one.
    void probe_lost(Clock::Steady now);
    /// A person asked to try now: whoever comes next is the probe.
    void wake(Clock::Steady now);
    /// It may go better now: the next probe is due, but not within a second of the last one.
    void hasten(Clock::Steady now);

    State state() const { return state_; }
    Clock::Steady due() const { return due_; } // of the probe, while open
    std::uint64_t times_opened() const { return times_opened_; }
    /// What a refused request is told.
    Error refusal(Clock::Steady now) const;

  private:
    void open(Clock::Steady now, int round);

    Random& random_;
    Options options_;
    State state_ = State::closed;
    int in_a_row_ = 0;
    int rounds_ = 0; // probes that failed
    bool woken_ = false;
    Clock::Steady due_{}, app_due_{}, failed_at_{}, probed_at_{};
    Fault fault_ = Fault::unreachable;
    std::string words_;
    std::uint64_t times_opened_ = 0;
};

} // namespace alli::upstream
