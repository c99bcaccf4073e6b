// SPDX-License-Identifier: Apache-2.0
// Reads the daily counts: {"counts":[{"date":"2026-01-31","count":12}]}. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace alli::upstream {

struct DailyCount {
    std::string date; // YYYY-MM-DD
    std::int64_t count = 0;
};

/// Throws Error{bad_reply} for anything else: the field names are inferred, so a wrong guess must be seen.
std::vector<DailyCount> read_daily_counts(const std::string& body);

} // namespace alli::upstream
