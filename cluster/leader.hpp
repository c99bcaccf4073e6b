// SPDX-License-Identifier: Apache-2.0
// What a leader does for the lease and for the others: heartbeats, and publishing what its mirror noted. Runs on the
// node's loop. It never starts or stops the engine: that is the node's.
#pragma once

#include "cache/replica/unpublished.hpp"
#include "cache/store.hpp"
#include "cluster/follower.hpp"
#include "cluster/node_options.hpp"
#include "cluster/truth.hpp"

#include <map>
#include <set>
#include <utility>

namespace alli::cluster {

/// What no try will change: the store has given up, or the program ends.
bool is_final(const Error& error);

class Leader {
  public:
    /// `since`: before the request was sent that brought the lease. `heard`: called after each request, whether it was
    /// answered. `published`: after each look at what is unpublished, with why it could not be published, or null.
    Leader(Truth& truth, cache::Store& store, Clock& clock, const NodeOptions& options, Follower& follower,
           const NodeHooks& hooks, std::int64_t epoch, Clock::Steady since, std::function<void(bool)> heard,
           std::function<void(const Error*)> published);

    /// Heartbeats until the lease is lost: then nothing of a leader may be sent.
    Task<> hold(std::function<void(std::optional<Clock::Steady>)> deadline);

    /// Until the lease may soon be lost. By the clock alone: whatever else is late, this is not.
    Task<> watch();

    /// Whether a leader may begin anything now.
    bool holds() const;

    /// It does not lead any more, and no deadline is told from now on. False: it did not before.
    bool stand_down() noexcept { return !std::exchange(stood_down_, true); }

    /// Until another one leads. Failures are told and retried for as long as somebody awaits it; final ones are thrown.
    Task<> publish_forever();

    /// What is to be fetched for other nodes' apps.
    void ask(const Round& heard);
    /// Has it fetched by the hooks, waits until it is published, and settles it. Failures are retried; final ones are
    /// thrown. A fetch may take long: no run waits for that.
    Task<> serve_refreshes_forever() { return repeat(&Leader::serve_refreshes); }
    /// Likewise for what nodes keep after the database was put back: nobody waits for that.
    Task<> serve_kept_forever() { return repeat(&Leader::serve_kept); }
    Task<> serve_runs_forever() { return repeat(&Leader::serve_runs); }

    /// What the database refuses by itself, whatever is published with it.
    const std::vector<NodeProblem>& problems() const noexcept { return problems_; }

    /// What is noted now, to the end; throws what publishing throws.
    Task<> publish_all();

  private:
    enum class Outcome { ours, lost, failed };
    Task<Outcome> beat();
    bool is_to_be_tried_again() const;
    Task<bool> publish_some(); // whether there is nothing left
    bool narrow(const cache::Unpublished& refused, const std::string& first, const Error& why);
    void set_aside(const std::vector<cache::Note>& notes, const std::string& conversation, const Error& why);
    std::vector<cache::Note> still_aside();
    void take_back(const std::vector<std::string>& published);
    Task<> repeat(Task<> (Leader::*serve)());
    Task<> end_silent_runs();
    Task<> serve_runs();
    Task<> serve_refreshes();
    Task<> serve_kept();
    enum class Asked { conversation, kept, list };
    static Asked kind_of(const std::string& asked);
    Task<> serve_some_refreshes(Asked kind);
    Task<> say_kept(std::vector<std::string> kept);
    Task<> wait_published();

    Truth& truth_;
    cache::Store& store_;
    Clock& clock_;
    const NodeOptions& options_;
    Follower& follower_;
    const NodeHooks& hooks_;
    std::int64_t epoch_;
    Clock::Steady held_since_, begun_at_;
    bool stood_down_ = false;
    std::optional<std::uint64_t> published_commits_; // so many of the mirror's are published; none: not yet
    std::size_t batch_; // rows that are tried together; fewer while a row is looked for that is refused
    Clock::Steady aside_until_{};
    std::vector<cache::Note> aside_;               // those that were
    std::optional<Clock::Steady> look_at_;         // from when on what changed of them is tried again
    std::vector<std::string> refused_;             // conversations
    std::vector<NodeProblem> problems_;            // one for each of them
    std::map<std::string, Run> runs_;              // that ended, by conversation
    std::map<std::string, Clock::Steady> running_; // since when that was heard
    std::map<std::string, Refresh> refreshes_;
    std::set<std::int64_t> fetched_early_; // their numbers: while upstream could still show what was before
    std::function<void(bool)> heard_;
    std::function<void(const Error*)> published_;
};

} // namespace alli::cluster
