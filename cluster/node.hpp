// SPDX-License-Identifier: Apache-2.0
// One node of a cluster: it follows, and leads for as long as it has the lease. What only a leader does (the engine,
// the delivery of writes) begins once the node's files are as of its takeover, is cancelled before the lease may be
// lost whatever else is under way, and has ended before the node follows again. Runs on one loop, waits only through
// the Clock.
#pragma once

#include "alli/published.hpp"
#include "cluster/follower.hpp"
#include "cluster/leader.hpp"
#include "cluster/outbox_follower.hpp"
#include "cluster/unseen_writes.hpp"

#include <boost/asio/experimental/channel.hpp>

#include <memory>
#include <set>
#include <string>

namespace alli::cluster {

class Node {
  public:
    Node(asio::any_io_executor loop, Truth& truth, cache::Store& store, Clock& clock, NodeOptions options,
         NodeHooks hooks);

    /// Until stop(); then a leader has published what it could and given the lease up. Throws what the store throws
    /// when its files cannot be used any more.
    Task<> run();

    /// On the loop: ends run() in order.
    void stop();
    /// On the loop: a leader gives the lease up and does not take it again for a while.
    void step_down();

    /// On the loop: when it returns the others know what was purged here, and what they share has none of it any more.
    Task<> hand_over_purges();
    /// The same until it is done. False: not within `patience`; then the node goes on with it by itself.
    Task<bool> hand_over_purges(std::chrono::milliseconds patience);

    /// On the loop: the outbox here, and what is shared.
    OutboxFollower& writes() noexcept { return writes_; }

    std::shared_ptr<const NodeStatus> status() const { return status_.load(); } // any thread

  private:
    Task<> follow_until_elected(); // or until it is stopped
    Task<> follow_once();
    Task<> campaign(const Head& seen);
    Task<> lead(std::int64_t epoch);
    Task<> take_over(std::int64_t epoch);
    Task<> take_over_writes(const Head& head);
    Task<Head> catch_up();
    Task<> hear_forever();
    Task<> hear_once();
    Task<> wait_to_hear();
    void hear_soon();
    Task<> then_stand_down(Task<> work);
    Task<> end_leading(std::int64_t epoch);
    Task<> release_writes(std::int64_t epoch);
    Task<> resign(std::int64_t epoch);
    Task<> wait_for_news();
    Task<> keep_failure(Task<> work);
    Task<> wait_for_end();
    Task<> announce();
    Task<> announce_forever();

    bool may_campaign(const Head& seen);
    void stop_leading();
    void stand_down();
    void tell(const Head& head);
    void tell_heard(bool answered);
    void tell_published(const Error* failure);
    void tell_leading();
    void tell_trouble(const Error& error);
    void throw_failure() const;
    void publish_status() { status_.store(std::make_shared<const NodeStatus>(current_)); }

    Truth& truth_;
    cache::Store& store_;
    Clock& clock_;
    NodeOptions options_;
    NodeHooks hooks_;
    Follower follower_;
    OutboxFollower writes_;
    UnseenWrites unseen_writes_;
    std::optional<std::int64_t> elected_;                               // the epoch of a lease that it got
    std::unique_ptr<Leader> leader_;                                    // while it leads
    asio::experimental::channel<void(boost::system::error_code)> ends_; // closed: leading, or all, comes to an end
    asio::experimental::channel<void(boost::system::error_code)> hears_;
    bool hears_soon_ = false;            // what is shared has what a request here waits for
    std::exception_ptr failure_;         // after which run() ends
    std::set<std::string> shared_state_; // by name, when it was elected
    bool stopping_ = false, steps_down_ = false, begun_ = false;
    int refusals_ = 0; // by the database, one after the other, which a person must mend
    std::int64_t epoch_seen_ = -1, beat_seen_ = -1;
    Clock::Steady seen_since_{}, campaign_sent_{}, announced_at_{}, stays_down_until_{};
    std::string unpublished_, unpublished_hint_; // why a leader cannot publish; empty: it can
    NodeStatus current_;
    Published<NodeStatus> status_;
};

} // namespace alli::cluster
