// SPDX-License-Identifier: Apache-2.0
// Problems of the disk for the status: no space left, and a write-ahead log that a reader keeps from shrinking.
#pragma once

#include "daemon/service/status.hpp"

namespace alli::daemon {

/// The current state of the disk and a hint. None if there is space. Any thread.
struct DiskFull {
    std::string what, hint;
    Instant since;
};
std::optional<DiskFull> find_disk_full();

/// Adds the member "disk", and a problem if there is one.
void add_disk(Json& status);

/// Adds a problem for each write-ahead log above its limit: which reader holds it, and since when.
void add_long_logs(Json& problems);

} // namespace alli::daemon
