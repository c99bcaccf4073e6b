// SPDX-License-Identifier: Apache-2.0
// Writes of apps at one node of several: accepted by what the nodes share, waited for here while another node may
// deliver them, and at the node that leads each step of delivery taken there first. Runs on the engine's loop.
#pragma once

#include "cluster/outbox_follower.hpp"
#include "sync/delivery/deliverer.hpp"
#include "sync/loop/wakeup.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <atomic>
#include <functional>
#include <list>
#include <memory>
#include <unordered_map>

namespace alli::daemon {

/// What became of a request that wants to be accepted.
struct SharedAcceptance {
    cache::Acceptance::Kind kind = cache::Acceptance::Kind::fresh;
    cache::Entry entry; // as it is now; of a repeated request the first one's
};

class SharedWrites {
  public:
    /// `deliverer`: the one that runs while this node leads. All must outlive it.
    SharedWrites(asio::io_context& loop, cluster::SharedOutbox& outbox, cluster::OutboxFollower& here,
                 cache::Store& store, Clock& clock, std::function<std::shared_ptr<sync::Deliverer>()> deliverer);

    /// Until it is known, `patience` at the longest; then throws Error{unreachable}, and it may have been accepted, or
    /// Error{unavailable}: nothing was kept. What it returns is in this node's file: where the database loses it, it is
    /// handed over.
    Task<SharedAcceptance> accept(cache::NewWrite write, std::chrono::milliseconds patience);
    /// Upstream's answer to what was accepted under this id, whoever gets it. None: it waits, for something else or for
    /// longer than `patience`, or has another id by now.
    Task<std::optional<upstream::Reply>> wait(std::int64_t id, std::string upstream_key,
                                              std::chrono::milliseconds patience);
    bool is_awaited(std::int64_t id) const { return waiters_.contains(id); }
    /// What a person decided, at any node. Throw Error{unreachable} where the database is away for long.
    Task<cache::RetryResult> retry(std::int64_t id);
    Task<cache::OperatorResult> discard(std::int64_t id);

    /// As sync::DeliveryHooks.
    Task<bool> begin(sync::Beginning beginning);
    Task<bool> settle(std::int64_t id, cache::Outcome outcome);

    /// Nobody waits any longer; what is under way of its own comes to an end.
    void stop();
    /// Whether nothing is under way of its own: then it may go.
    bool is_idle() const noexcept { return under_way_.empty(); }
    /// The number of what was accepted, or decided, here last: whoever was answered here has seen that. Any thread.
    std::int64_t newest() const noexcept { return newest_; }

    /// As cluster::NodeHooks.
    void changed(const std::vector<cache::AppliedWrite>& applied);

  private:
    struct Waiter {
        explicit Waiter(const asio::any_io_executor& loop) : wakeup(loop) {}
        sync::Wakeup wakeup;
        bool released = false; // it has to wait in the outbox
    };
    class Waiting;

    using Row = std::optional<cache::SharedWrite>;

    Task<cluster::Accepted> ask_to_accept(const cache::NewWrite& write, bool* may_be_there);
    Task<cluster::Accepted> accept_here(const cache::NewWrite& write, Clock::Steady until, bool* may_be_there);
    Task<bool> show_here(cache::SharedWrite row);
    template <class T>
    void spawn(Task<T> work, std::function<void()> ended);
    template <class T>
    Task<T> until_known(std::function<Task<T>()> ask, std::optional<Clock::Steady> until); // none: without end
    template <class T>
    Task<T> within(std::chrono::milliseconds patience, std::function<Task<T>()> ask, bool* late);
    template <class T>
    Task<> keep_known(std::function<Task<T>()> ask, Clock::Steady until, std::optional<T>* known,
                      std::exception_ptr* failed);
    Task<cluster::WriteAction> act(std::function<Task<cluster::WriteAction>()> ask);
    Task<> wait_to_be_canceled();
    Task<std::optional<std::int64_t>> find_number(std::int64_t id);
    Task<std::optional<cluster::KnownWrite>> find_known(std::int64_t id);
    bool is_of(const Row& row, const cluster::KnownWrite& known);
    std::optional<cache::Entry> find_here(std::int64_t id) const;
    bool waits_for_others(const cache::Entry& entry) const;
    void offer(const cache::AppliedWrite& accepted);
    void wake(std::int64_t id, bool released);
    void tell(std::int64_t id);
    Task<> note_told(std::int64_t id);

    asio::io_context& loop_;
    cluster::SharedOutbox& outbox_;
    cluster::OutboxFollower& here_;
    cache::Store& store_;
    Clock& clock_;
    std::function<std::shared_ptr<sync::Deliverer>()> deliverer_;
    std::unordered_map<std::int64_t, std::list<std::shared_ptr<Waiter>>> waiters_;
    std::list<asio::cancellation_signal> under_way_;
    bool stopping_ = false;
    std::atomic<std::int64_t> newest_{0};
};

} // namespace alli::daemon
