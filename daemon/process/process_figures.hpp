// SPDX-License-Identifier: Apache-2.0
// Resource usage of this process, from /proc/self.
#pragma once

#include <cstdint>

namespace alli::daemon {

struct ProcessFigures {
    std::int64_t resident_bytes = 0, virtual_bytes = 0;
    std::int64_t open_descriptors = 0, most_descriptors = 0; // most: the limit
    std::int64_t threads = 0;
    double cpu_seconds = 0;
};
ProcessFigures read_process_figures();

} // namespace alli::daemon
