// SPDX-License-Identifier: Apache-2.0
// Limits failed authentication (GCRA): twenty attempts at once, then one a second. One number for all loops, the
// theoretical arrival time. Any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace alli::proxy {

class FailedAuthLimiter {
  public:
    using Steady = std::chrono::steady_clock::time_point;

    /// Counts an attempt. False: it exceeds the limit.
    bool take(Steady now) noexcept
    {
        ++count_;
        const std::int64_t at = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
        std::int64_t known = worked_off_.load();
        for (;;) {
            const std::int64_t next = std::max(known, at) + each_ms;
            if (next > at + at_once * each_ms) return false;
            if (worked_off_.compare_exchange_weak(known, next)) return true;
        }
    }
    std::uint64_t count() const noexcept { return count_; }

  private:
    static constexpr std::int64_t each_ms = 1000, at_once = 20;
    std::atomic<std::int64_t> worked_off_{0};
    std::atomic<std::uint64_t> count_{0};
};

} // namespace alli::proxy
