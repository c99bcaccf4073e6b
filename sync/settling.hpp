// SPDX-License-Identifier: Apache-2.0
// Conversations in which something has just ended (a run of an app, a stop, a change through the relay): each is
// fetched at once, and again at doubling pauses for as long as its last message need not be all of the answer. Somebody
// waits for it, so it goes before everything else. Runs on the engine's loop.
#pragma once

#include "sync/tasks/tasks.hpp"

#include <cstdint>
#include <functional>
#include <map>

namespace alli::sync {

/// A fetch that began after `fence` was given is committed; `whole`: with all of the last message.
using Fetched = std::function<void(const ConversationId&, std::uint64_t fence, bool whole)>;

class Settling {
  public:
    /// `read_lag`: for how long upstream may show the state before.
    Settling(SyncContext context, std::chrono::milliseconds read_lag) : context_(context), read_lag_(read_lag) {}

    void on_fetched(Fetched fetched) { fetched_ = std::move(fetched); }
    /// `chats_before`: those that were held before a run, so that a copy which has no more is one from before it.
    void ask_for(ConversationId id, std::uint64_t fence, std::optional<std::int64_t> chats_before);

    /// One that is due and that nobody fetches yet; whoever takes it calls fetch().
    std::optional<ConversationId> take_due();
    /// Never throws for want of upstream: what failed is tried again.
    Task<> fetch(ConversationId id);
    /// None: there is nothing to wait for.
    std::optional<Clock::Steady> next_due() const;

  private:
    struct Wanted {
        std::uint64_t fence = 0;
        Clock::Steady asked_at{}, due{};
        int tries = 0;
        bool under_way = false;
        std::optional<std::int64_t> chats_before; // what is expected has more; none: nothing is expected
    };
    enum class Seen {
        nothing,   // it could not be fetched
        not_yet,   // what came is from before the end: it has to be fetched again, and whoever waits goes on waiting
        uncertain, // it may be all of it: upstream does not say
        whole
    };

    Seen look(const ConversationId& id, const Wanted& wanted) const;
    Seen judge(cache::Reader& db, const ConversationId& id, const Wanted& wanted) const;
    bool is_late(const Wanted& wanted) const { return context_.clock.steady() - wanted.asked_at >= read_lag_; }
    void go_on(const ConversationId& id, Seen seen);

    SyncContext context_;
    std::chrono::milliseconds read_lag_;
    Fetched fetched_ = [](const ConversationId&, std::uint64_t, bool) {};
    std::map<ConversationId, Wanted> wanted_;
};

} // namespace alli::sync
