// SPDX-License-Identifier: Apache-2.0
// A directory as a power cut left it, opened by the program's own opening, and held against what was promised.
#pragma once

#include "tests/powercut/workloads.hpp"

namespace alli::powercut {

struct Tally {
    std::int64_t cuts = 0, openings = 0, checks = 0;
};

/// Behind the first `calls` calls of the stage's log. A sentence for what does not hold.
std::optional<std::string> refute_remains(const std::string& directory, const Stage& stage, const Workload& workload,
                                          std::size_t calls, Tally& tally);

} // namespace alli::powercut
