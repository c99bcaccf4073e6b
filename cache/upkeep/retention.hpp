// SPDX-License-Identifier: Apache-2.0
// Retention: a horizon on last chat time that moves with the time (`mirror.retention`). What lies before it is erased,
// row by row as a purge does, and not stored again (cache/rows/suppression_list.hpp), but upstream may be asked for it;
// a new chat brings it back. A first or shorter retention, or a jump of the time, erases nothing for a day.
#pragma once

#include "alli/instant.hpp"
#include "cache/store.hpp"

#include <chrono>
#include <functional>
#include <optional>

namespace alli::cache {

/// What a horizon means for what is held now.
struct RetentionPlan {
    Instant horizon;
    std::int64_t conversations = 0, chats = 0; // that it erases
    std::int64_t kept = 0;                     // conversations that stay, for a write of theirs is not delivered
};

/// The time that retention goes by: upstream's as of the last poll, or ours where that is earlier. A clock that runs
/// ahead erases nothing, and neither does an upstream that is away.
Instant retention_now(Reader& mirror, Instant our_time);

Task<RetentionPlan> plan_retention(Store& store, Instant horizon);

/// Erases what the plan of that horizon says, now. Throws Error{canceled} when told to stop: the next one goes on.
Task<RetentionPlan> apply_retention(Store& store, Instant horizon, std::chrono::milliseconds keep,
                                    std::function<bool()> stopping);

/// Looks whether the horizon has to move, and moves it: at once, or a day after a problem has said what it erases.
struct RetentionStep {
    std::optional<RetentionPlan> announced, applied;
    Instant not_before; // of what was announced
};
Task<RetentionStep> move_horizon(Store& store, std::optional<std::chrono::milliseconds> keep, Instant our_time,
                                 std::function<bool()> stopping);

} // namespace alli::cache
