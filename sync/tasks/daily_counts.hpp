// SPDX-License-Identifier: Apache-2.0
// Upstream's count of conversations for each day of their creation, against ours. On the engine's loop.
#pragma once

#include "sync/pages/context.hpp"

#include <map>
#include <vector>

namespace alli::sync {

using Day = std::chrono::sys_days;
using DayCounts = std::map<Day, std::int64_t>;

/// None where upstream has no such operation, or none that we understand. Throws Error{refused} where it alone fails.
Task<std::optional<DayCounts>> ask_counts(SyncContext context, Day from, Day through);

/// The days on which they differ from ours, the oldest first; but for those of which something was purged.
std::vector<Day> find_differing(SyncContext context, const DayCounts& theirs, Day from, Day through);

/// There are none: the next round asks again whether there are any by then.
void note_no_counts(cache::Writer& db, Instant now);

/// From then on upstream's counts are asked for, or from the oldest conversation that is held.
inline constexpr Day counted_from = std::chrono::year(2000) / 1 / 1;

/// No other day is asked about, whatever times upstream, or this machine's clock, claims.
inline constexpr Day first_counted{}, last_counted = std::chrono::year(2200) / 1 / 1;

} // namespace alli::sync
