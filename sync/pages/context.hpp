// SPDX-License-Identifier: Apache-2.0
// What every sync task works with, and who is told of its commits. On the engine's loop.
#pragma once

#include "alli/error.hpp"
#include "alli/random.hpp"
#include "cache/rows/progress.hpp"
#include "cache/store.hpp"
#include "sync/pages/clocks.hpp"
#include "sync/pages/recent_puts.hpp"
#include "sync/pages/refetch.hpp"
#include "sync/pages/request_fences.hpp"
#include "upstream/client.hpp"

namespace alli::sync {

struct Ingested { // new or changed: what came again as it was does not count
    std::int64_t conversations = 0, chats = 0;
    std::int64_t chat_pages = 0;           // requested
    std::vector<NewState> changed;         // by this commit
    std::vector<ConversationId> refetched; // read, and not put as read: to be fetched again, each by itself
};

/// Follows a task: hears of every commit, and may have it pause between two pages.
class Follower {
  public:
    virtual ~Follower() = default;
    virtual void committed(const Ingested& done) = 0;
    /// The next page must not be requested before pause() was called.
    virtual bool wants_pause() const { return false; }
    virtual Task<> pause() { co_return; }
};

/// A job of the store runs on another thread: of these it may use `clock` and `clocks` alone; what it needs of the
/// others is read before it is handed over.
struct SyncContext {
    upstream::Client& client;
    cache::Store& store;
    Clock& clock;
    Random& random;
    RequestFences& fences;
    int max_parallel;
    std::chrono::microseconds overlap;  // how late a chat may become visible, and a silent message still grow
    std::chrono::microseconds together; // verifications closer than this need not be told apart
    Clocks& clocks;
    Refetch& refetch;
    RecentPuts& recent_puts;
    const bool& once; // one pass for a person, who sees each failure as it is
    Follower* follower;

    SyncContext followed_by(Follower& other) const
    {
        SyncContext same = *this;
        same.follower = &other;
        return same;
    }
};

} // namespace alli::sync
