// SPDX-License-Identifier: Apache-2.0
// What the settings say of the engine.
#pragma once

#include "alli/instant.hpp"

#include <chrono>
#include <optional>

namespace alli::sync {

struct Options {
    std::chrono::milliseconds interval{30'000};
    std::chrono::microseconds clock_tolerance =
        std::chrono::minutes(1); // by which upstream's Date may differ from ours
    std::chrono::milliseconds overlap{600'000};
    std::chrono::milliseconds reconcile_interval{86'400'000};
    std::optional<Instant> backfill_since;      // none: everything
    int max_parallel = 4;                       // chat pages asked for side by side
    std::chrono::milliseconds read_lag{10'000}; // for how long upstream's reads may show the state before a change
    double reconcile_rate = 0;                  // requests a second that reconcile may make; 0: no limit
    bool accept_deletions = false;              // a person has said so: however many
    bool categories = false;                    // the project's categories are kept too
    bool learns_envelopes = false;              // what is served comes in the envelope that upstream's answers have
};

} // namespace alli::sync
