// SPDX-License-Identifier: Apache-2.0
// What upstream showed of conversations within the last two seconds, whoever asked: a write that waited is checked
// against that instead of another read. Bounded in bytes. Belongs to the engine's loop.
#pragma once

#include "alli/clock.hpp"
#include "alli/ids.hpp"

#include <deque>
#include <string>
#include <unordered_map>
#include <utility>

namespace alli::sync {

class RecentItems {
  public:
    static constexpr std::chrono::seconds lifetime{2};
    static constexpr std::size_t most_bytes = std::size_t{4} << 20;

    struct Item {
        std::string raw;
        Clock::Steady asked_at{}; // before the request went out: what was changed since may be missing
    };

    /// An older one than what is held changes nothing.
    void put(const ConversationId& id, std::string raw, Clock::Steady asked_at);
    /// None: it was not read, or not lately enough. Valid until the next put().
    const Item* find(const ConversationId& id, Clock::Steady now) const;

  private:
    void drop_oldest();

    std::unordered_map<std::string, Item> items_;
    std::deque<std::pair<std::string, Clock::Steady>> order_; // as they were put; some are replaced
    std::size_t bytes_ = 0;
};

} // namespace alli::sync
