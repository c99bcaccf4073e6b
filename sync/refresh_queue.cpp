// SPDX-License-Identifier: Apache-2.0
#include "sync/refresh_queue.hpp"

#include "alli/back_off.hpp"

namespace alli::sync {

Task<> refresh_one(SyncContext context, ConversationId id)
{
    std::vector<ConversationId> one{std::move(id)};
    return refresh(context, std::move(one));
}

Task<> RefreshQueue::refresh_asked_for()
{
    while (!asked_for_.empty()) {
        const ConversationId id = asked_for_.front();
        std::erase(asked_for_, id); // often asked for, fetched once
        std::optional<Error> failure;
        try {
            co_await refresh_one(context_, id);
        } catch (const Error& error) {
            failure = error;
        }
        if (!failure) continue;
        asked_for_.push_back(id);
        throw Error(*failure);
    }
}

std::vector<cache::StreamingConversation> RefreshQueue::find_due()
{
    const auto boundary = context_.store.read([](cache::Reader& db) { return cache::load_progress(db); }).boundary;
    auto growing = context_.store.read([](cache::Reader& db) { return cache::load_streaming(db); });
    std::map<ConversationId, Job> still;
    std::vector<cache::StreamingConversation> due;
    const auto now = context_.clock.steady();
    for (const cache::StreamingConversation& it : growing) {
        if (it.last_chat_at && boundary && *it.last_chat_at >= *boundary - context_.overlap) continue; // polls list it
        Job& job = still[it.id];
        if (const auto known = followed_.find(it.id); known != followed_.end()) job = known->second;
        if (now < job.not_before) continue;
        job.not_before = now + BackOff{interval_, interval_ * 128}.after(job.failures++);
        due.push_back(it);
    }
    followed_ = std::move(still);
    return due;
}

Task<> RefreshQueue::run()
{
    co_await refresh_asked_for();
    auto due = find_due();
    co_await read_growing(context_, std::move(due));
}

} // namespace alli::sync
