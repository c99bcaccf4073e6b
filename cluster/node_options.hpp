// SPDX-License-Identifier: Apache-2.0
// How a node of a cluster behaves, what it starts and stops, and what it says of itself.
#pragma once

#include "alli/clock.hpp"
#include "alli/task.hpp"
#include "cache/replica/shared_writes.hpp"
#include "cluster/truth.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace alli::cluster {

/// By name, as it is written in the settings file.
using SharedSettings = std::map<std::string, std::string>;

struct NodeOptions {
    std::string name, version, address;
    bool may_lead = true;
    bool shares_writes =
        false;               // apps' writes are accepted by what the nodes share; else the leader's outbox is its own
    SharedSettings settings; // that all nodes must have (shared_settings.hpp); empty: they are not compared
    std::chrono::milliseconds lease{4'000};
    std::chrono::milliseconds poll{500};         // between two rounds where no news is heard
    std::chrono::milliseconds publish_pause{20}; // between two looks at what is unpublished
    std::chrono::milliseconds read_lag{10'000};  // for how long upstream may show the state before a write
    std::size_t batch = 1'000;                   // rows that are published, or applied, together
    std::size_t batch_bytes = std::size_t{8} << 20;
    std::size_t most_rows = 10'000; // of a part of a round

    std::chrono::milliseconds beat() const { return lease / 4; }
    /// From the time before the last heartbeat that succeeded: the leader ends by itself, and is ended.
    std::chrono::milliseconds stand_down_after() const { return lease * 5 / 8; }
    std::chrono::milliseconds dead_after() const { return lease * 7 / 8; }
};

struct NodeHooks {
    /// The node leads: starts what only a leader does. On the node's loop.
    std::function<void()> begin = [] {};
    /// It does not lead any more: after `cancel` nothing is sent, `ended` returns when all has ended. It was begun
    /// before.
    std::function<void()> cancel = [] {};
    std::function<Task<>()> ended = []() -> Task<> { co_return; };
    /// At every node: some node told of a run; the leader tells when it is settled. May be told again.
    std::function<void(const Run&)> run = [](const Run&) {};
    /// At the leader: whether what was told of by this row, a run that ended, is fetched and committed.
    std::function<bool(const Run&)> has_fetched = [](const Run&) { return false; };
    /// At the leader: fetches these conversations (`*`: lists) and returns when they are committed; throws Error where
    /// that fails, and is called again. None: what is asked for waits.
    std::function<Task<>(std::vector<std::string>)> refresh;
    /// These conversations' writes changed: some were of what another node purged.
    std::function<void(const std::vector<std::optional<ConversationId>>&)> lines_changed = [](const auto&) {};
    /// Writes of the shared outbox are here, or have moved on here.
    std::function<void(const std::vector<cache::AppliedWrite>&)> writes = [](const auto&) {};
    /// Rows of what another node purged went from the files: their bytes are still to be erased.
    std::function<void()> erased = [] {};
    /// When the process is to be ended, if it is frozen and cannot stand down by itself; none: not any more.
    std::function<void(std::optional<Clock::Steady>)> deadline = [](std::optional<Clock::Steady>) {};
};

enum class Role { follower, leader, joining, apart }; // apart: it cannot follow until a person acts, or not yet
std::string_view name_of(Role role) noexcept;

struct NodeProblem {
    std::string what, hint;

    friend bool operator==(const NodeProblem&, const NodeProblem&) = default;
};

struct NodeStatus {
    Role role = Role::joining;
    std::string leader; // its node's name; empty: none, or not known
    std::int64_t position = 0, last = 0;
    std::int64_t epoch = 0; // that was seen last
    bool database_reachable = false;
    /// The database's clock, as it was no earlier than at `asked_at` by this process's; never set back.
    std::optional<Instant> database_now;
    Clock::Steady asked_at{};
    std::string trouble, hint;         // empty: none
    std::vector<NodeProblem> problems; // that last while it follows or leads

    /// Whether it hears what others say: a database that refuses it is reachable all the same.
    bool hears() const noexcept { return database_reachable && role != Role::apart; }
};

} // namespace alli::cluster
