// SPDX-License-Identifier: Apache-2.0
// How many requests may be under way, worked out from how upstream bears them: one more after a round of good answers,
// half after a 429 or 503. Pure; the time is handed in.
#pragma once

#include "alli/clock.hpp"

#include <algorithm>

namespace alli::upstream {

class Concurrency {
  public:
    explicit Concurrency(int most) : most_(std::max(1, most)), limit_(most_) {}

    int limit() const { return static_cast<int>(limit_); } // 1 to most

    /// A good answer; `full`: all that was allowed was under way.
    void answered(bool full)
    {
        if (full) limit_ = std::min(most_, limit_ + 1 / limit_);
    }
    /// 429 or 503 to a request that went at `started`. Those that were under way together count once; whether this one
    /// counted.
    bool pushed_back(Clock::Steady started, Clock::Steady now)
    {
        if (started < last_cut_) return false;
        limit_ = std::max(1.0, limit_ / 2);
        last_cut_ = now;
        return true;
    }

  private:
    double most_, limit_;
    Clock::Steady last_cut_ = Clock::Steady::min();
};

} // namespace alli::upstream
