// SPDX-License-Identifier: Apache-2.0
// Conversations in which something has just ended (a run of an app, a stop, a change through the relay): each is
// fetched at once, and again at doubling pauses for as long as its last message need not be all of the answer. Somebody
// waits for it, so it goes before everything else. Runs on the engine's loop.
#pragma once

#include "sync/passes.hpp"

#include <cstdint>
#include <functional>
#include <map>

namespace alli::sync {

/// A fetch that began after `fence` was given is committed; `whole`: with all of the last message.
using Fetched = std::function<void(const ConversationId&, std::uint64_t fence, bool whole)>;

class Settling {
  public:
    /// `read_lag`: for how long upstream may show the state before.
    Settling(Tools tools, std::chrono::milliseconds read_lag, Report report)
        : tools_(tools), read_lag_(read_lag), report_(std::move(report))
    {}

    void on_fetched(Fetched fetched) { fetched_ = std::move(fetched); }
    /// `expects_news`: a run was seen to begin, so that a copy which has not grown is one from before it.
    void ask_for(ConversationId id, std::uint64_t fence, bool expects_news);

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
        bool expects_news = false;
        std::int64_t chats_before = 0; // held when it was asked for
        bool whole_before = true;      // and the last of them complete
    };
    struct Seen {
        bool fetched = false, whole = false;
    };

    Seen look(const ConversationId& id, const Wanted& wanted) const;
    bool shows_the_end(const cache::Held& held, const Wanted& wanted) const;

    Tools tools_;
    std::chrono::milliseconds read_lag_;
    Report report_;
    Fetched fetched_ = [](const ConversationId&, std::uint64_t, bool) {};
    std::map<ConversationId, Wanted> wanted_;
};

} // namespace alli::sync
