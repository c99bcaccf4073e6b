// SPDX-License-Identifier: Apache-2.0
// Background maintenance of the files: completes the search index, removes deleted text from it, and checks pages and
// rows. Runs on the engine's loop, in steps between other writes.
#pragma once

#include "cache/store.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>

namespace alli::daemon {

/// Repeats `work` until it is cancelled; exceptions are logged and do not end it.
struct Pauses {
    std::chrono::milliseconds usual, after_failure;
};
Task<> repeat(std::function<Task<>()> work, Pauses pauses);

/// Completes the index after a change of its version, then merges deleted terms.
Task<> complete_index(cache::Store& store, const std::atomic<bool>& stopping);

/// Runs complete_index() twice a day, so that deleted text leaves the index within a day, cleans up behind a purge that
/// was cut short, and checks the files when that is due. Until it is cancelled.
Task<> tend_files(cache::Store& store, const std::atomic<bool>& stopping);

/// Counts anew, every minute, the figures of the days that changed (cache/insights/rollup_days.hpp). Until it is
/// cancelled.
Task<> tend_figures(cache::Store& store, const std::atomic<bool>& stopping);

/// Moves the horizon of mirror.retention once, where it has to move; logs what that announces and erases.
Task<> keep_to_retention(cache::Store& store, std::optional<std::chrono::milliseconds> keep,
                         const std::atomic<bool>& stopping);

/// Keeps to mirror.retention (cache/upkeep/retention.hpp), and logs what it announces and erases. Until it is
/// cancelled.
Task<> follow_retention(cache::Store& store, std::optional<std::chrono::milliseconds> keep,
                        const std::atomic<bool>& stopping);

/// Checks every `pause` whether the files are still the ones at their paths, and whether a full disk has space again.
/// Until it is cancelled, or the store gives up.
Task<> watch_files(cache::Store& store, std::chrono::milliseconds pause);

} // namespace alli::daemon
