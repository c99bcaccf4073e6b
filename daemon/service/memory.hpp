// SPDX-License-Identifier: Apache-2.0
// Gives memory back to the system after a burst of work: SQLite's page caches, and what the allocator keeps free. Runs
// on the engine's loop, only while the process is at rest, because the allocator's locks are held meanwhile.
#pragma once

#include "cache/store.hpp"

#include <chrono>

namespace alli::daemon {

/// Decides when to: the process is at rest, and has worked since the last time.
class MemoryWatch {
  public:
    /// `cpu`: the processor time that the process had taken at `now`.
    bool is_due(std::chrono::steady_clock::time_point now, std::chrono::microseconds cpu);

  private:
    std::chrono::steady_clock::time_point looked_at_{};
    std::chrono::microseconds cpu_then_{0}, cpu_returned_{0};
};

/// Until it is cancelled, or the store gives up.
Task<> return_memory(cache::Store& store);

} // namespace alli::daemon
