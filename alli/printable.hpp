// SPDX-License-Identifier: Apache-2.0
// Users' text for a terminal or a file that a person reads: without control characters and escape sequences, which a
// terminal would execute. Pure.
#pragma once

#include "alli/zone.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace alli {

/// Removes control characters (except line breaks and tabs) and escape sequences; bytes that are not UTF-8 become '?'.
std::string printable(std::string_view text);

/// As printable(), and on one line.
std::string printable_line(std::string_view text);

/// "2026-01-31 18:30:05 +09:00", "2026-01-31 09:30:05 UTC", or "-" for none.
std::string say_time(std::optional<Instant> when, const Zone& zone = Zone::of_host());

} // namespace alli
