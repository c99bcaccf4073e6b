// SPDX-License-Identifier: Apache-2.0
// What RateLimiter shows of itself, to be read from any thread. Each value is right for itself; together they may be a
// moment apart.
#pragma once

#include "upstream/rate_limiter.hpp"

#include <atomic>

namespace alli::upstream {

template <class T>
class Gauge {
  public:
    void operator=(T value) { value_.store(value, std::memory_order_relaxed); }
    T get() const { return value_.load(std::memory_order_relaxed); }
    void add(T more) { value_.fetch_add(more, std::memory_order_relaxed); }

  private:
    std::atomic<T> value_{};
};

struct Gauges {
    Gauge<double> tokens;
    Gauge<Clock::Steady::rep> filled_at, probe_due, paused_until;
    Gauge<int> limit, in_flight;
    std::array<Gauge<int>, priorities> waiting;
    std::array<Gauge<std::uint64_t>, priorities> sent;
    Gauge<Breaker::State> breaker;
    Gauge<std::uint64_t> pushed_back, times_opened;
};

} // namespace alli::upstream
