// SPDX-License-Identifier: Apache-2.0
// Durations as people write them, in settings and on the command line; and as they read them. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace alli::daemon {

/// "500ms", "30s", "10m", "24h", "7d": a whole number and a unit, from 1 ms to 10 years. None when it is not one.
std::optional<std::chrono::milliseconds> read_duration(std::string_view text);

/// As read_duration() reads it, in the largest unit up to hours: "500ms", "30s", "24h".
std::string write_duration(std::chrono::milliseconds span);

/// Roughly, for a person: "12 s", "5 min", "3 h", "2 days".
std::string say_duration(std::chrono::seconds span);

} // namespace alli::daemon
