// SPDX-License-Identifier: Apache-2.0
// The runs of apps among the nodes of a cluster: tells the others of those that were seen here, in that order, and puts
// those that they tell of into this node's own read barrier, until the leader has published what they left.
#pragma once

#include "alli/ids.hpp"
#include "cluster/truth.hpp"
#include "sync/loop/wakeup.hpp"

#include <boost/asio/io_context.hpp>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace alli::daemon {

/// This node's own barrier (proxy/relay/runs.hpp). Fences as there.
struct RunBarrier {
    std::function<void(const ConversationId&)> running;
    std::function<std::uint64_t(const ConversationId&)> ended; // asks the engine for it, where that runs
    std::function<void(const ConversationId&, std::uint64_t fence)> settled;
    std::function<std::optional<bool>(const ConversationId&, std::uint64_t fence)>
        is_fetched; // none: not known any more
};

class RunNotes {
  public:
    /// `self`: this node's name. `truth` and `barrier` must outlive it.
    RunNotes(asio::io_context& loop, cluster::Truth& truth, Clock& clock, std::string self, RunBarrier barrier);

    /// Any thread: tells the others. `fence`: of the barrier here, where it has ended. Returns what is_told() takes.
    std::uint64_t note(const ConversationId& id, cluster::RunState state, std::uint64_t fence);
    /// Any thread: none while the note is on its way; else a position of the cluster that has all that are not. Of 0,
    /// which is none: always that.
    std::optional<std::int64_t> find_told(std::uint64_t note) const noexcept;

    // On the loop:
    /// This node leads from now on: what it is told of again is to be fetched here.
    void begin_leading()
    {
        known_.clear();
        ++leads_; // what is on its way was asked of no engine
    }
    /// Sends notes until it is cancelled; what cannot be sent is tried again.
    Task<> run();
    /// A row that was heard.
    void hear(const cluster::Run& run);
    /// At the leader: whether what this run left is committed here. Where the barrier has forgotten it, it is asked for
    /// once more.
    bool has_fetched(const cluster::Run& run);

  private:
    struct Note {
        std::uint64_t number;
        ConversationId id;
        cluster::RunState state;
        std::uint64_t fence;
        std::uint64_t leads = 0; // how often this node had begun to lead
    };
    /// A row that stands for what the barrier here knows.
    struct Known {
        std::int64_t number = 0;
        std::uint64_t fence = 0;
        Clock::Steady ask_again_at{};
    };

    void add(Note note);
    Task<> send(Note note);
    bool is_on_its_way(const std::string& id) const;
    void settle(const cluster::Run& run);

    asio::io_context& loop_;
    cluster::Truth& truth_;
    Clock& clock_;
    std::string self_;
    RunBarrier barrier_;
    sync::Wakeup added_;
    std::deque<Note> waiting_;
    std::map<std::string, Known> known_;
    std::uint64_t leads_ = 0;
    std::atomic<std::uint64_t> noted_{0}, told_{0};
    std::atomic<std::int64_t> position_{0};
};

} // namespace alli::daemon
