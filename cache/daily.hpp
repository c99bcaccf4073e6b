// SPDX-License-Identifier: Apache-2.0
// How many conversations were created on each day, in UTC.
#pragma once

#include "cache/sqlite.hpp"

#include <chrono>
#include <vector>

namespace alli::cache {

/// One number a day, from the first through the last; days without one are 0.
std::vector<std::int64_t> count_daily(Reader& db, std::chrono::sys_days first, std::chrono::sys_days last);

} // namespace alli::cache
