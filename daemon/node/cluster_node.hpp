// SPDX-License-Identifier: Apache-2.0
// This daemon as a node of a cluster: the connections to the shared database, the lease, and the leader's work, which
// begins and ends with it. Runs on the engine's loop.
#pragma once

#include "cluster/node.hpp"
#include "cluster/postgres/postgres_truth.hpp"
#include "daemon/node/leader_work.hpp"
#include "daemon/node/refresh_requests.hpp"
#include "daemon/node/run_notes.hpp"
#include "daemon/node/shared_writes.hpp"
#include "daemon/process/deadline.hpp"
#include "proxy/request/backend.hpp"

#include <exception>
#include <functional>
#include <string>
#include <vector>

namespace alli::daemon {

/// As daemon/settings/cluster_settings.hpp makes them.
struct ClusterOptions {
    cluster::PostgresOptions database;
    cluster::NodeOptions node;
};

class ClusterNode final : public proxy::ClusterNode {
  public:
    /// `failed`: as LeaderWork::begin().
    ClusterNode(LeaderWorkTools tools, ClusterOptions options, LeaderWork& work, RunBarrier barrier,
                std::function<void(std::exception_ptr)> failed);

    /// `ended`: a leader has given the lease up, and nothing runs any more.
    void start(std::function<void()> ended);
    void stop(); // on the loop

    // Any thread:
    std::shared_ptr<const cluster::NodeStatus> status() const { return node_.status(); }
    const std::string& name() const noexcept { return name_; }
    std::string leader() const override;
    proxy::NodeState state() const override;
    bool step_down() override;
    Task<proxy::SharedAcceptance> accept(cache::NewEntry entry, std::chrono::milliseconds patience) override;
    std::uint64_t note_run(const ConversationId& id, bool ended, std::uint64_t fence) override;
    std::optional<std::int64_t> find_told(std::uint64_t note) const override;
    void ask_refresh(std::string conversation) override { refresh_requests_.ask(std::move(conversation)); }

    /// On the loop.
    SharedWrites* writes() noexcept { return shares_writes_ ? &writes_ : nullptr; } // null: they are not shared
    /// On the loop: as cluster::Node's, for some seconds.
    Task<bool> hand_over_purges() { return node_.hand_over_purges(std::chrono::seconds(10)); }

    /// Says in the log what became of the node and the database since the last call. On one thread.
    void tell_changes();

  private:
    cluster::NodeHooks hooks();
    void begin();
    void cancel();
    void clean_files();
    Task<> clean_files_until_done();
    Task<> refresh(std::vector<std::string> conversations);
    void tell_database(const cluster::NodeStatus& now);

    asio::io_context& loop_;
    const Clock& clock_;
    cache::Store& store_;
    LeaderWork& work_;
    std::function<void(std::exception_ptr)> failed_;
    std::string name_;
    Deadline deadline_;
    cluster::PostgresTruth truth_;
    RunNotes run_notes_;
    RefreshRequests refresh_requests_;
    const bool shares_writes_;
    cluster::Node node_;
    SharedWrites writes_;
    asio::cancellation_signal cancel_notes_, cancel_requests_;
    bool stopping_ = false;
    bool unclean_ = false, cleaning_ = false; // what was purged has left bytes in the files
    // As they were told last.
    std::string told_trouble_, told_leader_;
    bool told_away_ = false;
};

} // namespace alli::daemon
