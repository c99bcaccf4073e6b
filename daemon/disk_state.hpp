// SPDX-License-Identifier: Apache-2.0
// A disk without room, and a log that a reader keeps from being emptied, are states of their own, none of upstream's:
// how they are told.
#pragma once

#include "daemon/status.hpp"

namespace alli::daemon {

/// What is so now, and what to do; none: there is room. Any thread.
struct DiskFull {
    std::string what, hint;
    Instant since;
};
std::optional<DiskFull> find_disk_full();

/// "disk", and the problem where it is one.
void add_disk(Json& status);

/// A problem for each log (WAL) beyond its bound: who holds it, and since when.
void add_long_logs(Json& problems);

} // namespace alli::daemon
