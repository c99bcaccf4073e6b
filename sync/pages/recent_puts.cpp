// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/recent_puts.hpp"

#include <algorithm>

namespace alli::sync {

static constexpr std::chrono::minutes longest_poll{10}; // who was put during it is remembered until its end

void RecentPuts::note(const std::vector<NewState>& changed, Clock::Steady now)
{
    for (const NewState& put : changed) states_.insert_or_assign(put.id, State{now, put.last_chat_at, put.chat_count});
    drop_old(now);
}

bool RecentPuts::may_lag(const ConversationId& id, Clock::Steady now) const
{
    const auto found = states_.find(id);
    return found != states_.end() && now - found->second.at < lag_;
}

bool RecentPuts::is_behind(const Conversation& listed, Clock::Steady now) const
{
    const auto found = states_.find(listed.id);
    if (found == states_.end() || now - found->second.at >= lag_) return false;
    const State& put = found->second;
    const bool told = put.last_chat_at && listed.last_chat_at && !listed.last_chat_guessed;
    if (told && *listed.last_chat_at < *put.last_chat_at) return true;
    return put.chat_count && listed.chat_count && *listed.chat_count < *put.chat_count;
}

bool RecentPuts::was_put(const ConversationId& id, Clock::Steady since) const
{
    const auto found = states_.find(id);
    return found != states_.end() && found->second.at >= since;
}

void RecentPuts::drop_old(Clock::Steady now)
{
    if (states_.size() < look_at_) return;
    const auto kept = std::max<std::chrono::nanoseconds>(lag_, longest_poll);
    std::erase_if(states_, [&](const auto& it) { return it.second.at + kept < now; });
    look_at_ = std::max<std::size_t>(256, states_.size() * 2);
}

} // namespace alli::sync
