// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/refetch.hpp"

#include "alli/back_off.hpp"

#include <algorithm>

namespace alli::sync {

static constexpr BackOff pauses{std::chrono::seconds(5), std::chrono::hours(24)};

bool Refetch::take_due(const Conversation& listed, Clock::Steady now, std::chrono::microseconds followed)
{
    if (!series_.contains(listed.id)) drop_old(now, followed);
    Series& series = series_[listed.id];
    const bool changed = series.last_chat_at != listed.last_chat_at || series.chat_count != listed.chat_count;
    if (series.fetched == 0 || changed) series = {listed.last_chat_at, listed.chat_count, now, now, 0};
    if (now < series.due) return false;
    series.due = now + pauses.after(series.fetched++);
    const auto last_look = series.begun + followed * 9 / 10; // what it grows by until then is still found
    if (now < last_look) series.due = std::min(series.due, last_look);
    return true;
}

void Refetch::drop_old(Clock::Steady now, std::chrono::microseconds followed)
{
    if (series_.size() < look_at_) return;
    std::erase_if(series_, [&](const auto& it) { return it.second.begun + followed < now; });
    look_at_ = std::max<std::size_t>(256, series_.size() * 2);
}

} // namespace alli::sync
