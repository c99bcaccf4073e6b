// SPDX-License-Identifier: Apache-2.0
// What the service manager wants to hear (sd_notify). All of it does nothing when there is none.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace alli::daemon {

void notify_ready(const std::string& status);
void notify_reloading(); // until the next notify_ready()
void notify_stopping();
void notify_watchdog();

/// How often the watchdog wants a sign of life; none: there is no watchdog.
std::optional<std::chrono::microseconds> watchdog_period();

} // namespace alli::daemon
