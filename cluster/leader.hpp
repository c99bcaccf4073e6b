// SPDX-License-Identifier: Apache-2.0
// What a leader does for the lease and for the others: heartbeats, and publishing what its mirror noted. Runs on the
// node's loop. It never starts or stops the engine: that is the node's.
#pragma once

#include "cache/store.hpp"
#include "cluster/follower.hpp"
#include "cluster/node_options.hpp"
#include "cluster/truth.hpp"

namespace alli::cluster {

/// What no try will change: the store has given up, or the program ends.
bool is_final(const Error& error);

class Leader {
  public:
    /// `since`: before the request was sent that brought the lease. `heard`: called after each request, whether it was
    /// answered. `published`: after each look at what is unpublished, with why it could not be published, or null.
    Leader(Truth& truth, cache::Store& store, Clock& clock, const NodeOptions& options, Follower& follower,
           std::int64_t epoch, Clock::Steady since, std::function<void(bool)> heard,
           std::function<void(const Error*)> published);

    /// Heartbeats until the lease is lost, or may soon be: from then on nothing of a leader may be sent.
    Task<> hold(std::function<void(std::optional<Clock::Steady>)> deadline);

    /// Until another one leads. Failures are told and retried for as long as somebody awaits it; final ones are thrown.
    Task<> publish_forever();

    /// What is noted now, to the end; throws what publishing throws.
    Task<> publish_all();

  private:
    enum class Outcome { ours, lost, failed };
    Task<Outcome> beat();
    Task<bool> publish_some(); // whether there is nothing left

    Truth& truth_;
    cache::Store& store_;
    Clock& clock_;
    const NodeOptions& options_;
    Follower& follower_;
    std::int64_t epoch_;
    Clock::Steady held_since_;
    std::function<void(bool)> heard_;
    std::function<void(const Error*)> published_;
};

} // namespace alli::cluster
