// SPDX-License-Identifier: Apache-2.0
// What the files need now and then without anybody asking for it: the index of words completed and rid of what was
// removed, pages and rows looked at. On the engine's loop, in steps between other writes.
#pragma once

#include "cache/store.hpp"

#include <atomic>
#include <chrono>
#include <functional>

namespace alli::daemon {

/// `work` again and again: what it throws is logged, whatever it is, and does not end it. Until it is cancelled.
struct Pauses {
    std::chrono::milliseconds usual, after_failure;
};
Task<> repeat(std::function<Task<>()> work, Pauses pauses);

/// What is left to do for the index after a change of its version, then what is left in it of removed text.
Task<> complete_index(cache::Store& store, const std::atomic<bool>& stopping);

/// That twice a day, so that what is removed leaves the index within one; and the files are looked at when that is due.
/// Until it is cancelled.
Task<> tend_files(cache::Store& store, const std::atomic<bool>& stopping);

/// Every `pause`: whether the files are still in their places, and whether one that was full can be written again.
/// Until it is cancelled, or the store gives up.
Task<> watch_files(cache::Store& store, std::chrono::milliseconds pause);

} // namespace alli::daemon
