// SPDX-License-Identifier: Apache-2.0
// How often an event may be written: so many at once, then so many a second; what is beyond that is counted. Without
// locks: any thread.
#pragma once

#include "alli/event.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

namespace alli {

class LogLimit {
  public:
    using Steady = std::chrono::steady_clock::time_point;

    void set(int burst, double per_second) noexcept; // before it is used

    /// None: not now, and it is counted. Else how many were not written since the last that was.
    std::optional<std::uint64_t> pass(Steady now) noexcept;
    /// How many were not written, once another may be (`all`: at once); they are taken as said.
    std::uint64_t take_held(Steady now, bool all) noexcept;

  private:
    using Ticks = std::chrono::nanoseconds::rep;

    Ticks step_ = 1'000'000'000, room_ = 0; // between two; how far ahead of them a burst may be
    std::atomic<Ticks> next_{0};            // when the next is due, were they even (GCRA)
    std::atomic<std::uint64_t> held_{0};
};

/// Of an event, by what it is told apart by: a few causes each, more than that share.
LogLimit& limit_of(Event event, std::size_t cause) noexcept;
void for_each_limit(const std::function<void(Event, LogLimit&)>& function);

} // namespace alli
