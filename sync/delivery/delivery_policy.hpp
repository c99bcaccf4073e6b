// SPDX-License-Identifier: Apache-2.0
// The circuit breaker's policy for delivery: nothing is sent while upstream asks to wait, refuses the key, or is away.
// One FIFO that fails again and again holds back only itself; several in a row without an answer between them mean that
// upstream is away; then one probe at a time finds out when it is back. Pure: the time is handed in.
#pragma once

#include "alli/clock.hpp"
#include "alli/random.hpp"
#include "sync/delivery/verdict.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

namespace alli::sync {

class DeliveryPolicy {
  public:
    using Steady = Clock::Steady;

    explicit DeliveryPolicy(Random& random) : random_(random) {}

    /// When the next attempt may begin; now or earlier: at once.
    Steady next_attempt_at() const { return std::max(asked_until_, probe_at_); }
    bool allows_attempt(Steady now) const { return !rejected_ && !is_away() && next_attempt_at() <= now; }
    bool is_away() const { return failed_.size() >= fifos_to_be_away; }
    bool is_rejected() const { return rejected_; }

    /// An attempt of that FIFO ended. True when it shows that upstream is back.
    bool note(const Verdict& verdict, const std::string& fifo, Steady now);
    void note_key(bool accepted, Steady now);
    /// A disk without room: nothing can be written down, so nothing is sent.
    void hold_for(std::chrono::milliseconds pause, Steady now) { asked_until_ = std::max(asked_until_, now + pause); }
    /// Upstream is back, or a person asks: pauses of our own end, those that upstream asked for do not.
    void probe_now() { probe_at_ = {}; }

  private:
    static constexpr std::size_t fifos_to_be_away = 3;
    void hold_for_a_probe(Steady now);

    Random& random_;
    Steady asked_until_{}, probe_at_{};
    bool rejected_ = false;
    int tries_ = 0;                // probes in a row that failed
    std::set<std::string> failed_; // FIFOs without an answer since the last one
};

} // namespace alli::sync
