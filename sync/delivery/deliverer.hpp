// SPDX-License-Identifier: Apache-2.0
// Outbox -> upstream: sends the head of each conversation's FIFO in turn, a few FIFOs in parallel, writes down what
// became of it, and tells whoever waits for it. Runs on the engine's loop; waits only through the Clock. Nothing is
// sent that was not committed before, nothing acknowledged is ever dropped.
#pragma once

#include "alli/clock.hpp"
#include "alli/operation.hpp"
#include "alli/random.hpp"
#include "cache/outbox/fifos.hpp"
#include "cache/store.hpp"
#include "upstream/client.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace alli::sync {

struct DeliveryOptions {
    std::chrono::milliseconds retry_initial{1'000};
    std::chrono::milliseconds retry_max{300'000};
    std::chrono::milliseconds read_lag{10'000}; // for how long reads may show the state before a write of ours
    bool overwrite = false;                     // on_conflict: send over what upstream changed meanwhile
    int max_parallel = 4;                       // FIFOs worked on at a time; requests are bounded by the budget
    Operations operations = {};                 // entries that were queued under others go out by these
};

/// An entry that is about to be sent. `over`: as cache::begin_sending().
struct Beginning {
    std::int64_t id = 0;
    std::optional<std::string> over;
};

/// What a delivery tells the others.
struct DeliveryHooks {
    std::function<void(ConversationId)> changed = {}; // upstream's copy of this one is another now
    std::function<void()> changed_many = {};
    /// Where several machines deliver in turn what they share: each step is taken there first, in the outbox here
    /// second. Both return when it is known, and where this machine may not deliver any more only when they are
    /// canceled. False: a person decided otherwise meanwhile, and the outbox here says so. None: it is alone.
    std::function<Task<bool>(Beginning)> begin = {};
    std::function<Task<bool>(std::int64_t id, cache::Outcome)> settle = {};
    std::function<bool(std::int64_t id)> is_awaited = {}; // by an app, beside those of the offers
};

class Deliverer {
  public:
    Deliverer(upstream::Client& client, cache::Store& store, Clock& clock, Random& random, DeliveryOptions options,
              DeliveryHooks hooks);
    ~Deliverer();

    /// Until cancelled; what is being sent then goes back into its FIFO. Throws what the store throws: damaged, io.
    Task<> run();

    // On the engine's loop:
    /// Sends it at once when nothing is before it, and waits for upstream's answer as long as `patience`. None: it
    /// waits in the outbox.
    Task<std::optional<upstream::Reply>> offer(cache::AcceptedWrite write, std::chrono::milliseconds patience);
    /// Whether an offer of it still waits for the answer.
    Task<bool> is_awaited(std::int64_t id);
    /// What a person decided.
    Task<cache::RetryResult> retry(std::int64_t id);
    Task<cache::OperatorResult> discard(std::int64_t id);
    /// Upstream is back, or a person asks: nothing waits any longer for its next try but where upstream asked all to
    /// wait.
    void make_due();
    /// Entries of these FIFOs were purged.
    void look_again(const std::vector<std::optional<ConversationId>>& fifos);

  private:
    struct Core;
    std::shared_ptr<Core> core_;
};

} // namespace alli::sync
