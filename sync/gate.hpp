// SPDX-License-Identifier: Apache-2.0
// Whether anything may be delivered at all: not while upstream asks to wait, refuses the key, or is away. One line that
// fails again and again closes nothing; several in a row without an answer between them do, and then one probe at a
// time finds out when upstream is back. Pure but for the time it is given.
#pragma once

#include "alli/clock.hpp"
#include "alli/random.hpp"
#include "sync/verdict.hpp"

#include <optional>
#include <set>
#include <string>

namespace alli::sync {

class Gate {
  public:
    using Steady = Clock::Steady;

    explicit Gate(Random& random) : random_(random) {}

    /// When the next attempt may begin; now or earlier: at once.
    Steady opens_at() const { return opens_at_; }
    bool is_open(Steady now) const { return !rejected_ && !is_away() && opens_at_ <= now; }
    bool is_away() const { return failed_.size() >= lines_to_be_away; }
    bool is_rejected() const { return rejected_; }

    /// An attempt of that line ended. True when it shows that upstream is back.
    bool note(const Verdict& verdict, const std::string& line, Steady now);
    void note_key(bool accepted, Steady now);
    /// A disk without room: nothing can be written down, so nothing is sent.
    void close_for(std::chrono::milliseconds pause, Steady now) { opens_at_ = std::max(opens_at_, now + pause); }

  private:
    static constexpr std::size_t lines_to_be_away = 3;
    void close_for_a_try(Steady now);

    Random& random_;
    Steady opens_at_{};
    bool rejected_ = false;
    int tries_ = 0;                // in a row that found it closed
    std::set<std::string> failed_; // lines without an answer since the last one
};

} // namespace alli::sync
