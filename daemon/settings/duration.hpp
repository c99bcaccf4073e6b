// SPDX-License-Identifier: Apache-2.0
// Parses and formats durations for settings, the command line and messages. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace alli::daemon {

/// Parses a whole number with a unit: "500ms", "30s", "10m", "24h", "7d", from 1 ms to 10 years. None if it is not one.
std::optional<std::chrono::milliseconds> read_duration(std::string_view text);

/// The inverse of read_duration(), in the largest exact unit up to hours: "500ms", "30s", "24h".
std::string write_duration(std::chrono::milliseconds span);

/// mirror.retention; none: everything is kept. Throws Error{settings} for what is no duration, or is less than a day.
struct Config;
std::optional<std::chrono::milliseconds> read_retention(const Config& config);

/// Rounded for messages: "12 s", "5 min", "3 h", "2 days".
std::string say_duration(std::chrono::seconds span);

} // namespace alli::daemon
