// SPDX-License-Identifier: Apache-2.0
// Upstream -> cache, with a plan: side by side, polls for what is new, refreshes for single conversations, and the long
// work, backfill before reconcile; sync/order.hpp keeps the younger answer. Runs on one loop, waits only through the
// Clock, and leaves the mirror as good as before whenever it fails. What concerns one conversation or one window is
// kept as a problem and holds up nothing else.
#pragma once

#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "alli/random.hpp"
#include "cache/store.hpp"
#include "upstream/client.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace alli::sync {

struct Options {
    std::chrono::milliseconds interval{30'000};
    std::chrono::microseconds clock_tolerance =
        std::chrono::minutes(1); // by which upstream's Date may differ from ours
    std::chrono::milliseconds overlap{600'000};
    std::chrono::milliseconds reconcile_interval{86'400'000};
    std::optional<Instant> backfill_since;      // none: everything
    int max_parallel = 4;                       // chat pages asked for side by side
    std::chrono::milliseconds read_lag{10'000}; // for how long upstream's reads may show the state before a change
    double reconcile_rate = 0;                  // requests a second that reconcile may make; 0: no limit
    bool accept_deletions = false;              // a person has said so: however many
    bool categories = false;                    // the project's categories are kept too
    bool learns_envelopes = false;              // what is served comes in the envelope that upstream's answers have
};

/// What the engine is at, as one immutable value; for status, readiness and the watchdog.
struct State {
    bool reachable = false; // the last request was answered; false at once where no connection comes about
    bool key_accepted = true;
    std::string error; // why the last pass failed; empty when it did not
    std::string hint;
    std::optional<Instant> failing_since;
    std::optional<Instant> verified_at; // our clock
    bool backfill_done = false;
    std::optional<double> fraction; // of the backfill; none while how much there is cannot be told
    std::optional<double> eta_seconds;
    std::int64_t conversations = 0, chats = 0; // new or changed, put by this process so far
    std::uint64_t passes = 0;
    Clock::Steady compared_at{}; // the last poll that was whole; before it, the start
    Clock::Steady next_try_at{}; // of a poll, while they fail
};

/// As it is told at `now` to a person: that nothing was compared for longer than `interval` or so is a failure too,
/// even while a poll waits for its turn; and what failed says when it is tried again. `pause`: what the budget adds.
State describe(State state, Clock::Steady now, Instant wall, std::chrono::milliseconds interval,
               std::chrono::milliseconds pause);

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

    // Any thread:
    std::shared_ptr<const State> state() const;
    void wake();                               // poll now rather than at the next interval; not an upstream in trouble
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
    /// Called on the loop when polls go well again after some that failed. Before run().
    void when_back(std::function<void()> tell);

  private:
    struct Core;
    struct Wakeups;
    void on_loop(std::function<void(Core&, Wakeups&)> action);

    std::unique_ptr<Core> core_;
};

} // namespace alli::sync
