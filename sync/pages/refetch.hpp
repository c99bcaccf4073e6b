// SPDX-License-Identifier: Apache-2.0
// When polls fetch a last message again of which upstream does not say whether it is complete, and which no list item
// carries: at doubling pauses after the last change that was seen. In memory alone: after a restart each is fetched
// once more. On the engine's loop.
#pragma once

#include "alli/clock.hpp"
#include "alli/conversation.hpp"

#include <unordered_map>

namespace alli::sync {

class Refetch {
  public:
    /// Whether the listed conversation's last message is to be fetched now; then the next time is after a longer pause,
    /// but once more shortly before `followed` has passed since the first time. A last chat time or a chat count that
    /// changed begins anew.
    bool take_due(const Conversation& listed, Clock::Steady now, std::chrono::microseconds followed);

    /// Something happens in this one (a run was seen to end): it begins anew.
    void forget(const ConversationId& id) { series_.erase(id); }

  private:
    struct Series {
        std::optional<Instant> last_chat_at;
        std::optional<std::int64_t> chat_count;
        Clock::Steady begun, due;
        int fetched = 0;
    };

    void drop_old(Clock::Steady now, std::chrono::microseconds followed);

    std::unordered_map<ConversationId, Series> series_;
    std::size_t look_at_ = 256; // so many are looked through for those that are over
};

} // namespace alli::sync
