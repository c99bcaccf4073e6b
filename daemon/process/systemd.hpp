// SPDX-License-Identifier: Apache-2.0
// Notifications to the service manager (sd_notify). Without one they have no effect.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace alli::daemon {

void notify_ready(const std::string& status);
void notify_reloading(); // until the next notify_ready()
void notify_stopping();
void notify_watchdog();

/// The interval of the watchdog. None if there is no watchdog.
std::optional<std::chrono::microseconds> watchdog_period();

} // namespace alli::daemon
