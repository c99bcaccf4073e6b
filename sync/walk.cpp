// SPDX-License-Identifier: Apache-2.0
#include "sync/walk.hpp"

#include "alli/error.hpp"

namespace alli::sync {

Walk::Walk(upstream::Client& client, std::optional<Instant> from, std::optional<Instant> bound,
           upstream::Priority priority)
    : client_(client), from_(from), bound_(bound), priority_(priority)
{}

// The finest step that upstream can tell apart in a window.
std::chrono::microseconds Walk::grain() const
{
    return client_.time_unit() == TimeUnit::seconds ? std::chrono::seconds(1) : std::chrono::milliseconds(1);
}

std::vector<Conversation> Walk::unmet(std::vector<Conversation>& page)
{
    std::vector<Conversation> fresh;
    for (Conversation& conversation : page) {
        if (conversation.last_chat_at && (!oldest_ || *conversation.last_chat_at < *oldest_))
            oldest_ = conversation.last_chat_at;
        if (!met_.insert(conversation.id).second) continue;
        met_at_.emplace_back(conversation.last_chat_at.value_or(Instant::min()), conversation.id);
        fresh.push_back(std::move(conversation));
    }
    return fresh;
}

// To the window below what was seen; by the cursor where that is no lower than before.
void Walk::descend(const std::optional<std::string>& cursor, bool fresh)
{
    if (fresh && oldest_ && (!bound_ || *oldest_ + grain() < *bound_)) {
        bound_ = *oldest_ + grain();
        cursor_.reset();
        // Only what lies at the edge can come again.
        std::erase_if(met_at_, [&](const auto& met) {
            const bool above = met.first > *bound_;
            if (above) met_.erase(met.second);
            return above;
        });
        return;
    }
    if (cursor == cursor_)
        throw Error(Fault::bad_reply, "upstream's paging is broken; the walk goes on where it stopped",
                    "a list's cursor does not advance");
    cursor_ = cursor;
}

Task<Step> Walk::next()
{
    upstream::ListQuery query;
    if (from_) query.started_at = *from_ - grain();
    query.end_at = bound_;
    query.cursor = cursor_;
    upstream::Listed listed = co_await client_.list_conversations(query, priority_);

    Step step;
    step.conversations = unmet(listed.page.conversations);
    step.asked_at = listed.asked_at;
    step.has_date = listed.has_date;
    step.last = !listed.page.cursor;
    if (!step.last) descend(listed.page.cursor, !step.conversations.empty());
    step.reached = oldest_;
    co_return step;
}

} // namespace alli::sync
