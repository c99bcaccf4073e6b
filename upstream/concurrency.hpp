// SPDX-License-Identifier: Apache-2.0
// How many requests may be under way, worked out from how upstream bears them: one more after a round of good answers,
// half after a 429 or 503, a tenth fewer while answers take longer than they used to. Pure; the time is handed in.
#pragma once

#include "alli/clock.hpp"
#include "upstream/outcome.hpp"

#include <array>

namespace alli::upstream {

class Concurrency {
  public:
    explicit Concurrency(int most);

    int limit() const { return static_cast<int>(limit_); } // 1 to most
    double strain() const { return strain_; } // how long answers take against how long they used to; 1 is as ever

    /// A good answer to a request that went at `started`; `full`: all that was allowed was under way.
    void answered(const Outcome& outcome, bool full, Clock::Steady started, Clock::Steady now);
    /// 429 or 503. Those that were under way together count once; whether this one counted.
    bool pushed_back(Clock::Steady started, Clock::Steady now);

  private:
    static constexpr std::size_t sizes = 16; // of answers, each four times the one before

    double& usual(const Outcome& outcome);
    double measure(const Outcome& outcome);
    void cut(double factor, Clock::Steady now);

    double most_, limit_;
    double strain_ = 1;
    Clock::Steady last_cut_ = Clock::Steady::min();
    std::array<double, call_kinds * sizes> usual_{}; // milliseconds; 0: not known yet
};

} // namespace alli::upstream
