// SPDX-License-Identifier: Apache-2.0
// Numbers that grow, for /metrics: a counter and a histogram of times. Atomics without an order among them: written
// wherever something happens, read from any thread, never a lock and never an allocation.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace alli {

class Counter {
  public:
    void add(std::uint64_t more = 1) noexcept { value_.fetch_add(more, std::memory_order_relaxed); }
    std::uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

/// Upper bounds in seconds: from an answer out of memory to an upstream that works for half a minute.
inline constexpr std::array time_bounds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                        0.1,    0.25,    0.5,    1.0,   2.5,    5.0,   10.0, 30.0};

class Histogram {
  public:
    /// As it is now; adds up with others.
    struct Reading {
        std::array<std::uint64_t, time_bounds.size() + 1> buckets{}; // each for itself; the last has no bound
        double sum_seconds = 0;

        Reading& operator+=(const Reading& other) noexcept
        {
            for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += other.buckets[i];
            sum_seconds += other.sum_seconds;
            return *this;
        }
    };

    void observe(std::chrono::nanoseconds took) noexcept
    {
        const double seconds = std::chrono::duration<double>(took).count();
        const auto* bound = std::lower_bound(time_bounds.begin(), time_bounds.end(), seconds);
        buckets_[static_cast<std::size_t>(bound - time_bounds.begin())].add();
        nanoseconds_.add(static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0)));
    }

    Reading read() const noexcept
    {
        Reading reading;
        for (std::size_t i = 0; i < buckets_.size(); ++i) reading.buckets[i] = buckets_[i].get();
        reading.sum_seconds = static_cast<double>(nanoseconds_.get()) / 1e9;
        return reading;
    }

  private:
    std::array<Counter, time_bounds.size() + 1> buckets_;
    Counter nanoseconds_;
};

} // namespace alli
