// SPDX-License-Identifier: Apache-2.0
#include "sync/refresh_queue.hpp"

#include "alli/back_off.hpp"
#include "sync/pages/own_chats.hpp"

#include <utility>

namespace alli::sync {
namespace {

// Of those that later ones follow: a service may never say of some that they are done. What they grow by once that is
// long ago the comparison finds.
constexpr std::chrono::hours followed_for{24};
constexpr int most_at_once = 50; // what somebody asks for comes between

} // namespace

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

std::vector<cache::GrowingChat> RefreshQueue::find_due()
{
    const auto boundary = context_.store.read([](cache::Reader& db) { return cache::load_progress(db); }).boundary;
    const Instant since = context_.clock.now() - followed_for;
    const auto growing = context_.store.read([&](cache::Reader& db) { return cache::load_growing(db, since); });
    std::map<Place, Job> still;
    std::vector<cache::GrowingChat> due;
    const auto now = context_.clock.steady();
    int followed = 0;
    for (const cache::GrowingChat& it : growing) {
        const bool is_listed = it.last_chat_at && boundary && *it.last_chat_at >= *boundary - context_.overlap;
        if (it.is_last && is_listed) continue; // polls look at it
        const auto [place, is_new] = still.try_emplace({it.conversation, page_of(it.ordinal)});
        if (!is_new) continue; // in one answer
        Job& job = place->second;
        if (const auto known = followed_.find(place->first); known != followed_.end()) job = known->second;
        if (now < job.not_before || (!it.is_last && ++followed > most_at_once)) continue;
        job.not_before = now + BackOff{interval_, interval_ * 128}.after(job.failures++);
        due.push_back(it);
    }
    followed_ = std::move(still);
    return due;
}

// What is asked for again on the way waits for the next turn: it may be upstream that needs time.
Task<> RefreshQueue::run()
{
    for (ConversationId& id : std::exchange(later_, {})) ask_for(std::move(id));
    co_await refresh_asked_for();
    auto due = find_due();
    co_await read_growing(context_, std::move(due));
}

} // namespace alli::sync
