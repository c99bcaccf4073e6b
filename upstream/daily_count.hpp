// SPDX-License-Identifier: Apache-2.0
// Reads the daily counts: {"counts":[{"date":"2026-01-31","count":12}]}. Pure.
#pragma once

#include "upstream/client.hpp"

namespace alli::upstream {

/// Throws Error{bad_reply} for anything else: the field names are inferred, so a wrong guess must be seen.
std::vector<DailyCount> read_daily_counts(const std::string& body);

} // namespace alli::upstream
