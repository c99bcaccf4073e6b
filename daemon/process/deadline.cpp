// SPDX-License-Identifier: Apache-2.0
#include "daemon/process/deadline.hpp"

#include "alli/error.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>

namespace alli::daemon {
namespace {

constexpr clockid_t through_sleep = CLOCK_BOOTTIME; // goes on while the machine sleeps

std::chrono::nanoseconds boot_time()
{
    timespec now{};
    ::clock_gettime(through_sleep, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

// A process that is stopped between the two readings ends too early, never too late.
std::chrono::nanoseconds boot_time_of(Clock::Steady when)
{
    const std::chrono::nanoseconds boot = boot_time();
    return boot + (when - std::chrono::steady_clock::now());
}

timespec to_timespec(std::chrono::nanoseconds time)
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    return {.tv_sec = seconds.count(), .tv_nsec = (time - seconds).count()};
}

} // namespace

Deadline::Deadline()
{
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGKILL;
    if (::timer_create(through_sleep, &event, &timer_) != 0)
        throw Error(Fault::io, "see the limits of the system", "cannot make a timer: {}", std::strerror(errno));
}

Deadline::~Deadline()
{
    ::timer_delete(timer_);
}

void Deadline::set(std::optional<Clock::Steady> when)
{
    itimerspec spec{}; // zero: disarmed
    if (when) spec.it_value = to_timespec(std::max(boot_time_of(*when), std::chrono::nanoseconds(1)));
    ::timer_settime(timer_, TIMER_ABSTIME, &spec, nullptr);
}

} // namespace alli::daemon
