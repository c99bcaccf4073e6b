// SPDX-License-Identifier: Apache-2.0
// How many conversations were created on each day, in UTC.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/sqlite.hpp"
#include "cache/rows/visibility.hpp"

#include <chrono>
#include <optional>
#include <vector>

namespace alli::cache {

/// One number a day, from the first through the last; days without one are 0.
std::vector<std::int64_t> count_daily(Reader& db, std::chrono::sys_days first, std::chrono::sys_days last,
                                      const Visibility& seen = {});

/// Of the oldest conversation.
std::optional<std::chrono::sys_days> first_day(Reader& db);

std::vector<ConversationId> ids_created_on(Reader& db, std::chrono::sys_days day);

} // namespace alli::cache
