// SPDX-License-Identifier: Apache-2.0
#include "sync/delivery/recent_items.hpp"

namespace alli::sync {

void RecentItems::put(const ConversationId& id, std::string raw, Clock::Steady asked_at)
{
    while (!order_.empty() && order_.front().second + lifetime < asked_at) drop_oldest();
    Item& item = items_[id.value];
    if (asked_at < item.asked_at) return;
    bytes_ += raw.size();
    bytes_ -= item.raw.size();
    item = {std::move(raw), asked_at};
    order_.emplace_back(id.value, asked_at);
    while (bytes_ > most_bytes) drop_oldest();
}

const RecentItems::Item* RecentItems::find(const ConversationId& id, Clock::Steady now) const
{
    const auto found = items_.find(id.value);
    return found == items_.end() || now - found->second.asked_at >= lifetime ? nullptr : &found->second;
}

void RecentItems::drop_oldest()
{
    const auto [id, asked_at] = std::move(order_.front());
    order_.pop_front();
    const auto found = items_.find(id);
    if (found == items_.end() || found->second.asked_at != asked_at) return; // replaced by a younger one
    bytes_ -= found->second.raw.size();
    items_.erase(found);
}

} // namespace alli::sync
