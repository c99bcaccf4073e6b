// SPDX-License-Identifier: Apache-2.0
// Several things side by side on one loop: at most `limit` at a time, awaited together.
#pragma once

#include "alli/task.hpp"

#include <cstddef>
#include <functional>

namespace alli::sync {

/// Calls work(0), ... work(count - 1). After the first failure nothing new is begun; when all have ended it is thrown.
/// Cancelling the awaiting coroutine cancels them all.
Task<> in_parallel(std::size_t count, int limit, std::function<Task<>(std::size_t)> work);

} // namespace alli::sync
