// SPDX-License-Identifier: Apache-2.0
// Which parameters send reads upstream because the mirror does not understand them, and how often: whoever runs the
// mirror should know why an app is not answered from it. Any thread, without a lock: a change swaps the whole small
// table.
#pragma once

#include "alli/instant.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace alli::proxy {

class PassedUp {
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

    PassedUp();
    void note(std::string_view name, Instant now);
    /// Those that come often and did lately, in the order in which they first came.
    std::vector<Count> find_frequent(Instant now) const;

  private:
    using Table = std::vector<Count>;
    std::atomic<std::shared_ptr<const Table>> table_;
};

} // namespace alli::proxy
