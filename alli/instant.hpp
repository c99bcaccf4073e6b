// SPDX-License-Identifier: Apache-2.0
// A point in time, to the microsecond, and how upstream writes it: a JSON number of seconds or of milliseconds, either
// with a fraction. The unit is not documented (a number above 1e11 must be milliseconds), so it is worked out, kept,
// and can be forced by a setting. What was sent is always stored unchanged; an Instant is for comparing and for
// windows.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace alli {

using Instant = std::chrono::sys_time<std::chrono::microseconds>;

enum class TimeUnit { unknown, seconds, milliseconds };

/// The unit that a first value suggests.
TimeUnit guess_unit(double value) noexcept;

/// Reads a JSON number token exactly (no detour over a double); digits beyond the microsecond are cut off.
/// None when the text is no number or out of range. `unit` must be known.
std::optional<Instant> read_instant(std::string_view number, TimeUnit unit);

/// The same instant as a JSON number token in `unit`, without needless zeros: "1615246647609.666".
std::string write_instant(Instant when, TimeUnit unit);

/// "2026-01-31T09:30:00.25Z"; the fraction only where there is one.
std::string to_rfc3339(Instant when);

/// RFC 3339 with Z or an offset, or a bare date (its first instant in UTC). None when it is neither.
std::optional<Instant> from_rfc3339(std::string_view text);

/// The `Date` header of HTTP (RFC 9110 5.6.7, IMF-fixdate alone). None when it is not one.
std::optional<Instant> from_http_date(std::string_view text);
std::string to_http_date(Instant when);

} // namespace alli
