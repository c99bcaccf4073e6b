// SPDX-License-Identifier: Apache-2.0
// Times that a person gives relative to now: "today", "yesterday" (오늘, 어제, 今日, 昨日), so many days, weeks, months
// or years ago ("7d", "2w", "3m", "1y": a whole day of the calendar), and hours ("24h": to the second). Pure.
#pragma once

#include "alli/zone.hpp"

#include <string>
#include <string_view>

namespace alli {

/// A relative time as the day ("2026-01-31") of `zone`, or for hours as the RFC 3339 time, that it means at `now`.
/// Any other text as it is.
std::string absolute_time(std::string_view text, const Zone& zone, Instant now);

} // namespace alli
