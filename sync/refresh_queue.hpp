// SPDX-License-Identifier: Apache-2.0
// On-demand refreshes of single conversations that no poll brings: those that somebody asked for, and messages still
// being written that no list shows any more. Runs on the engine's loop, beside polls and long passes.
#pragma once

#include "sync/jobs.hpp"
#include "sync/tasks/tasks.hpp"

#include <deque>
#include <map>

namespace alli::sync {

class RefreshQueue {
  public:
    RefreshQueue(SyncContext context, std::chrono::milliseconds interval) : context_(context), interval_(interval) {}

    void ask_for(ConversationId id) { asked_for_.push_back(std::move(id)); }
    /// With the next run(), not with one under way.
    void ask_later(ConversationId id) { later_.push_back(std::move(id)); }

    /// All that is to be done now. What concerns all is thrown, and what was asked for stays.
    Task<> run();

  private:
    Task<> refresh_asked_for();
    std::vector<cache::GrowingChat> find_due();

    SyncContext context_;
    std::chrono::milliseconds interval_;
    std::deque<ConversationId> asked_for_;
    std::vector<ConversationId> later_;
    using Place = std::pair<ConversationId, int>; // and the number of the page of chats
    std::map<Place, Job> followed_;               // each after a pause that grows, for some never end
};

/// One conversation again. What is wrong with it alone is kept as its problem; what concerns all is thrown.
Task<> refresh_one(SyncContext context, ConversationId id);

} // namespace alli::sync
