// SPDX-License-Identifier: Apache-2.0
// Counts the parameters that send reads upstream because the mirror cannot evaluate them, so that the operator learns
// why an app is not served from it. Any thread: a change swaps the whole small table.
#pragma once

#include "alli/instant.hpp"
#include "alli/published.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace alli::proxy {

class UnsupportedParameters {
  public:
    static constexpr std::size_t most_names = 32; // beyond it new ones are not counted
    static constexpr std::size_t longest_name = 64;
    static constexpr std::uint64_t often = 10; // reads with pauses of less than an hour
    static constexpr std::chrono::hours forgotten{1};

    struct Count {
        std::string name; // printable ASCII; what else it held is shown as '?'
        std::uint64_t reads = 0;
        Instant since, last;
    };

    void note(std::string_view name, Instant now);
    /// The frequent ones of the last hour, in the order of their first use.
    std::vector<Count> find_frequent(Instant now) const;

  private:
    using Table = std::vector<Count>;
    Published<Table> table_;
};

} // namespace alli::proxy
