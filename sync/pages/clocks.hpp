// SPDX-License-Identifier: Apache-2.0
// What is wrong with the clocks, as a problem of the mirror: upstream sends no Date, or its Date and our clock are far
// apart. Boundaries stand in the earlier of both, so nothing is missed as long as one of them is right. On the thread
// that commits to the mirror, once it is made.
#pragma once

#include "alli/clock.hpp"
#include "cache/rows/problems.hpp"
#include "upstream/client.hpp"

#include <optional>

namespace alli::sync {

class Clocks {
  public:
    /// `tolerance`: by how much they may differ.
    explicit Clocks(std::chrono::microseconds tolerance) : tolerance_(tolerance) {}

    /// In the commit of what came with them.
    void note(cache::Writer& db, const upstream::ClockReadings& read, const Clock& clock);

  private:
    std::chrono::microseconds tolerance_;
    std::optional<Clock::Steady> differed_at_;
};

} // namespace alli::sync
