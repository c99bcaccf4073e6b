// SPDX-License-Identifier: Apache-2.0
// The engine's status towards upstream: the loop changes it, and publishes every change as a value for other threads.
#pragma once

#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "alli/instant.hpp"

#include <memory>
#include <optional>
#include <string>

namespace alli::sync {

/// What the engine is at, as one immutable value; for status, readiness and the watchdog.
struct State {
    bool reachable = false; // the last request was answered; false at once where no connection comes about
    bool key_accepted = true;
    std::string error; // why the last pass failed; empty when it did not
    std::string hint;
    std::optional<Instant> failing_since;
    std::optional<Instant> verified_at; // our clock
    bool backfill_done = false;
    std::optional<double> fraction; // of the backfill; none while how much there is cannot be told
    std::optional<double> eta_seconds;
    std::int64_t conversations = 0, chats = 0; // new or changed, put by this process so far
    std::uint64_t passes = 0;
    Clock::Steady compared_at{}; // the last poll that was whole; before it, the start
    Clock::Steady next_try_at{}; // of a poll, while they fail
};

/// As it is told at `now` to a person: that nothing was compared for longer than `interval` or so is a failure too,
/// even while a poll waits for its turn; and what failed says when it is tried again. `pause`: what the budget adds.
State describe(State state, Clock::Steady now, Instant wall, std::chrono::milliseconds interval,
               std::chrono::milliseconds pause);

struct Ingested;

class SyncStatus {
  public:
    State current; // the loop's own; publish() shows it to the others

    void publish() { std::atomic_store(&published_, std::make_shared<const State>(current)); }
    std::shared_ptr<const State> read() const { return std::atomic_load(&published_); } // any thread

    void count(const Ingested& done);
    void healthy();
    void failed(const Error& error, Instant now);
    void cut_off(const std::string& why, Instant now); // no connection came about, whoever asked for it
    void answered();                                   // the service answered somebody

  private:
    std::shared_ptr<const State> published_; // atomically replaced
};

} // namespace alli::sync
