// SPDX-License-Identifier: Apache-2.0
// The token bucket: so many requests a second, and no more than a second's worth saved up. Knows no priorities: whoever
// asks says how full it must be. Pure; the time is handed in.
#pragma once

#include "alli/clock.hpp"

#include <algorithm>
#include <cmath>

namespace alli::upstream {

class Bucket {
  public:
    /// A rate of 0 is no limit. Begins full.
    Bucket(double per_second, Clock::Steady now) : rate_(per_second), tokens_(burst()), filled_(now) {}

    bool limited() const { return rate_ > 0; }
    double rate() const { return rate_; }
    double burst() const { return std::max(1.0, rate_); }
    double tokens() const { return tokens_; } // as of filled_at()
    Clock::Steady filled_at() const { return filled_; }
    double tokens_at(Clock::Steady now) const
    {
        return std::min(burst(), tokens_ + std::chrono::duration<double>(now - filled_).count() * rate_);
    }

    /// Takes one where there are at least `level`.
    bool take(double level, Clock::Steady now)
    {
        if (!limited()) return true;
        tokens_ = tokens_at(now);
        filled_ = now;
        if (tokens_ < level) return false;
        tokens_ -= 1;
        return true;
    }

    /// When there will be `level`. A nanosecond more, so that rounding does not wake anybody for a token that is not
    /// quite there.
    Clock::Steady full_to(double level) const
    {
        constexpr double longest = 3600; // then it is looked at again
        const double seconds = std::min(std::max(0.0, level - tokens_) / rate_, longest);
        return filled_ + std::chrono::nanoseconds(static_cast<std::int64_t>(std::ceil(seconds * 1e9)) + 1);
    }

  private:
    double rate_, tokens_;
    Clock::Steady filled_;
};

} // namespace alli::upstream
