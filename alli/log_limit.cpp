// SPDX-License-Identifier: Apache-2.0
#include "alli/log_limit.hpp"

#include <algorithm>

namespace alli {
namespace {

constexpr std::size_t causes = 16; // of an event; more share

class Limits {
  public:
    Limits()
    {
        for (const EventRow& row : event_table)
            for (std::size_t i = 0; i < causes; ++i) of(row.event, i).set(row.burst, row.per_second);
    }
    LogLimit& of(Event event, std::size_t cause) noexcept
    {
        return limits_[static_cast<std::size_t>(event)][cause % causes];
    }

  private:
    std::array<std::array<LogLimit, causes>, event_table.size()> limits_;
};

Limits& limits()
{
    static Limits all;
    return all;
}

std::chrono::nanoseconds::rep ticks(LogLimit::Steady when) noexcept
{
    return std::chrono::nanoseconds(when.time_since_epoch()).count();
}

} // namespace

void LogLimit::set(int burst, double per_second) noexcept
{
    step_ = static_cast<Ticks>(1e9 / per_second);
    room_ = step_ * (burst - 1);
}

std::optional<std::uint64_t> LogLimit::pass(Steady now) noexcept
{
    const Ticks at = ticks(now);
    Ticks next = next_.load(std::memory_order_relaxed);
    do {
        if (next - at > room_) {
            held_.fetch_add(1, std::memory_order_relaxed);
            return std::nullopt;
        }
    } while (!next_.compare_exchange_weak(next, std::max(next, at) + step_, std::memory_order_relaxed));
    return held_.exchange(0, std::memory_order_relaxed);
}

std::uint64_t LogLimit::take_held(Steady now, bool all) noexcept
{
    if (held_.load(std::memory_order_relaxed) == 0) return 0;
    if (!all && next_.load(std::memory_order_relaxed) > ticks(now)) return 0;
    return held_.exchange(0, std::memory_order_relaxed);
}

LogLimit& limit_of(Event event, std::size_t cause) noexcept
{
    return limits().of(event, cause);
}

void for_each_limit(const std::function<void(Event, LogLimit&)>& function)
{
    for (const EventRow& row : event_table)
        for (std::size_t i = 0; i < causes; ++i) function(row.event, limits().of(row.event, i));
}

} // namespace alli
