// SPDX-License-Identifier: Apache-2.0
#include "cache/lists/reach.hpp"

#include "cache/lists/list_plan.hpp"
#include "cache/rows/coverage.hpp"
#include "cache/rows/suppression_list.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

constexpr std::chrono::microseconds tick{1};

bool is_by_last_chat(Order order) noexcept
{
    return order == Order::last_chat_desc || order == Order::last_chat_asc;
}

bool has_window(const ListFilter& filter)
{
    return filter.started_at || filter.end_at;
}

// An order by creation may have conversations without a chat anywhere, whatever the filter.
bool needs_chatless(const ListFilter& filter, ChatlessPlace place)
{
    if (has_window(filter)) return false;
    return !is_by_last_chat(filter.order) || (may_have_timeless(filter) && place != ChatlessPlace::nowhere);
}

Reach whole_or_nothing(Reader& db, const Progress& progress, const ListFilter& filter, ChatlessPlace place)
{
    const auto floor = find_floor(db, progress, filter.end_at);
    Reach reach;
    reach.any = floor && *floor <= filter.started_at.value_or(beginning_of_time) &&
                (progress.chatless_at || !needs_chatless(filter, place));
    return reach;
}

// What lies between the last row that was shown and the floor is all that counts for the rows behind it.
std::optional<Instant> top_of(const ListFilter& filter, const std::optional<ListKey>& after)
{
    if (!after || !after->when) return filter.end_at;
    const Instant above = *after->when + tick;
    return filter.end_at ? std::min(*filter.end_at, above) : above;
}

} // namespace

ChatlessPlace find_chatless_place(Reader& db, Order order)
{
    if (!is_by_last_chat(order)) return ChatlessPlace::last;
    const ChatlessPlaces places = load_chatless_places(db);
    return order == Order::last_chat_desc ? places.newest_first : places.oldest_first;
}

Reach find_reach(Reader& db, const Progress& progress, const ListFilter& filter, const std::optional<ListKey>& after,
                 ChatlessPlace place)
{
    if (filter.order != Order::last_chat_desc) return whole_or_nothing(db, progress, filter, place);
    Reach reach;
    // What retention keeps out may be among them, and would come before the first row.
    const bool some_kept_out = place == ChatlessPlace::first && find_horizon(db);
    reach.chatless = progress.chatless_at && !some_kept_out;
    const auto floor = find_floor(db, progress, top_of(filter, after));
    reach.any = floor.has_value();
    if (floor && *floor > filter.started_at.value_or(beginning_of_time)) reach.floor = floor;
    // Where their place is not known, those without a chat may come before the first row.
    if (!after && place == ChatlessPlace::unknown && may_have_timeless(filter) && (reach.floor || !reach.chatless))
        reach.any = reach.any && load_chatless_places(db).front_clear;
    return reach;
}

} // namespace alli::cache
