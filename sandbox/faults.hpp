// SPDX-License-Identifier: Apache-2.0
// Which of the scripted faults strikes a request. Counting is by rule: one rule of a kind strikes at a time, latency
// adds up.
#pragma once

#include "alli/random.hpp"
#include "sandbox/options.hpp"

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

namespace alli::sandbox {

struct Strike {
    std::chrono::milliseconds latency{0};
    std::optional<FaultRule> fault; // any kind but latency
    std::uint64_t dice = 0;         // for what a fault leaves to chance
};

class Faults {
  public:
    /// `now`: the rules' periods count from here.
    Faults(std::vector<FaultRule> rules, std::uint64_t seed, Instant now);

    /// Counts the request and says what becomes of it.
    Strike strike(std::string_view operation, Instant now);

  private:
    struct Counted {
        FaultRule rule;
        int seen = 0;
        int struck = 0;
    };

    bool fits(Counted& counted, std::string_view operation, Instant now);

    std::vector<Counted> rules_;
    SeededRandom random_;
    Instant since_;
};

} // namespace alli::sandbox
