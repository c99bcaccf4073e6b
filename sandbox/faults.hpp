// SPDX-License-Identifier: Apache-2.0
// Which of the scripted faults strikes a request. Counting is by rule: one rule of a kind strikes at a time, latency
// adds up.
#pragma once

#include "sandbox/sandbox.hpp"

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

namespace alli::sandbox {

struct Strike {
    std::chrono::milliseconds latency{0};
    std::optional<FaultRule> fault; // any kind but latency
};

class Faults {
  public:
    explicit Faults(std::vector<FaultRule> rules = {});

    /// Counts the request and says what becomes of it.
    Strike strike(std::string_view operation);

  private:
    struct Counted {
        FaultRule rule;
        int seen = 0;
        int struck = 0;
    };

    std::vector<Counted> rules_;
};

} // namespace alli::sandbox
