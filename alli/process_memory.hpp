// SPDX-License-Identifier: Apache-2.0
// How much memory this process has, from /proc/self. Any thread; cheap enough to ask every few thousand steps.
#pragma once

#include <cstdint>

namespace alli {

struct ProcessMemory {
    std::int64_t virtual_bytes = 0, resident_bytes = 0; // 0: not known
};
ProcessMemory read_process_memory() noexcept;

} // namespace alli
