// SPDX-License-Identifier: Apache-2.0
#include "daemon/process/systemd.hpp"

#include <cstdint>
#include <ctime>
#include <systemd/sd-daemon.h>

namespace alli::daemon {

void notify_ready(const std::string& status)
{
    ::sd_notify(0, ("READY=1\nSTATUS=" + status).c_str());
}

void notify_reloading()
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const long long microseconds = static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
    ::sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds)).c_str());
}

void notify_stopping()
{
    ::sd_notify(0, "STOPPING=1");
}

void notify_watchdog()
{
    ::sd_notify(0, "WATCHDOG=1");
}

std::optional<std::chrono::microseconds> watchdog_period()
{
    std::uint64_t period = 0;
    if (::sd_watchdog_enabled(0, &period) <= 0) return std::nullopt;
    return std::chrono::microseconds(period);
}

} // namespace alli::daemon
