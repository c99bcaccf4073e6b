// SPDX-License-Identifier: Apache-2.0
// A disk without room is a state of its own, none of upstream's: how it is told.
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

} // namespace alli::daemon
