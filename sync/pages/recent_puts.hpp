// SPDX-License-Identifier: Apache-2.0
// Which conversations a commit changed lately. A younger request may be answered by a machine behind that is older
// (a replica): for as long as upstream's reads may lag, what shows less than that does not count. In memory alone, on
// the engine's loop.
#pragma once

#include "alli/clock.hpp"
#include "alli/conversation.hpp"

#include <unordered_map>
#include <vector>

namespace alli::sync {

/// What a commit made of a conversation.
struct NewState {
    ConversationId id;
    std::optional<Instant> last_chat_at;
    std::optional<std::int64_t> chat_count;
};

class RecentPuts {
  public:
    explicit RecentPuts(std::chrono::nanoseconds lag) : lag_(lag) {}

    void note(const std::vector<NewState>& changed, Clock::Steady now);

    /// It was put so lately that upstream may not show it everywhere.
    bool may_lag(const ConversationId& id, Clock::Steady now) const;

    /// Upstream shows an older state of it than the one that was put.
    bool is_behind(const Conversation& listed, Clock::Steady now) const;

    /// `since` must not lie further back than a poll takes.
    bool was_put(const ConversationId& id, Clock::Steady since) const;

  private:
    struct State {
        Clock::Steady at;
        std::optional<Instant> last_chat_at;
        std::optional<std::int64_t> chat_count;
    };

    void drop_old(Clock::Steady now);

    std::chrono::nanoseconds lag_;
    std::unordered_map<ConversationId, State> states_;
    std::size_t look_at_ = 256; // so many are looked through for those that are over
};

} // namespace alli::sync
