// SPDX-License-Identifier: Apache-2.0
// Upstream -> cache, with a plan: side by side, polls for what is new, refreshes for single conversations, and the long
// work, backfill before reconcile; sync/pages/request_fences.hpp keeps the younger answer. Runs on one loop, waits only
// through the Clock, and leaves the mirror as good as before whenever it fails. What concerns one conversation or one
// window is kept as a problem and holds up nothing else.
#pragma once

#include "alli/random.hpp"
#include "cache/store.hpp"
#include "sync/options.hpp"
#include "sync/sync_status.hpp"
#include "upstream/client.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace alli::sync {

class Engine {
  public:
    Engine(upstream::Client& client, cache::Store& store, Clock& clock, Random& random, Options options);
    ~Engine();

    /// Until cancelled (asio cancellation of the coroutine). Failures are kept in State and as problems, and retried.
    Task<> run();

    /// One pass until the mirror is complete: backfill, a poll, and the scan for conversations without a chat if it is
    /// due. `report` is called after every commit. Temporary failures are retried a few times; throws what is left:
    /// key_rejected, unreachable, unavailable, bad_reply.
    Task<> run_once(std::function<void(const State&)> report);

    /// Who is told of what settle() has fetched: on the loop, before run().
    void on_fetched(std::function<void(const ConversationId&, std::uint64_t fence, bool whole)> fetched);

    // On the loop, while it runs; both throw what concerns all, and end where they are cancelled.
    /// Fetches each of them anew, and returns when that is committed.
    Task<> fetch(std::vector<ConversationId> ids);
    /// Returns when a poll that begins after this call is committed. Throws Error{unavailable} where that takes long.
    Task<> fetch_news();

    // Any thread:
    std::shared_ptr<const State> state() const;
    void wake();                               // poll now rather than at the next interval; not an upstream in trouble
    void try_again();                          // what stood in the way of all is gone: nothing waits for its next try
    void insist();                             // a person asks: look now, also at an upstream in trouble
    void wake_conversation(ConversationId id); // fetch this one again soon: something about it changed
    /// Something in it has just ended and somebody waits: fetch it before all else, until its last message is whole.
    /// `chats_before`: those that were held, complete, before a run: its answer is one more. None: no run was seen.
    void settle(ConversationId id, std::uint64_t fence, std::optional<std::int64_t> chats_before);
    void refresh_categories();       // there may be others than are known
    void accept_deletions();         // a person's word: what upstream says is gone, is gone
    void network_changed(bool lost); // routes or addresses; `lost`: one of them went

    /// On the loop: how a request upstream ended, whoever made it.
    void heard(const upstream::Outcome& outcome);
    /// Called on the loop when polls go well again after anybody could not reach upstream, and when a person insists.
    /// Before run().
    void when_back(std::function<void()> tell);

  private:
    struct Core;
    struct Wakeups;
    void on_loop(std::function<void(Core&, Wakeups&)> action);

    std::shared_ptr<Core> core_; // whatever was handed to the loop keeps it
};

} // namespace alli::sync
