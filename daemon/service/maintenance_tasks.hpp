// SPDX-License-Identifier: Apache-2.0
// Maintenance tasks that a user starts, in the process of a command or in the daemon: one table of them. Requests and
// results are JSON objects; "task" names the task.
#pragma once

#include "cache/upkeep/purge.hpp"

#include <nlohmann/json.hpp>

#include <functional>
#include <string_view>

namespace alli::daemon {

using Json = nlohmann::ordered_json;

struct MaintenanceTools {
    cache::Store& store;
    cache::PurgeHooks hooks; // progress, the word to stop, and what a purge takes from the outbox's lines
    bool alone = false;      // nobody else uses the store
    /// In a cluster: has what was purged here known to all nodes, and gone from what they share. False: not within some
    /// seconds; it goes on by itself. None: this machine is alone.
    std::function<Task<bool>()> share_purge = {};
    /// Ends the program and starts it anew, soon: the files are opened again. None: it cannot.
    std::function<void()> restart = {};
    /// Of a running daemon: the webhook of that id, or all, are called again at once.
    std::function<void(std::string_view id)> wake_webhooks = [](auto) {};
};

/// Runs a task. Throws Error{usage} for an invalid request, and what the task throws.
Task<Json> run_task(MaintenanceTools tools, Json request);
/// Validates a request without running it.
void check_task(const Json& request);
/// Whether it has its turn, one after the other; not: it only takes a note. Throws as check_task() does.
bool waits_for_turn(const Json& request);

} // namespace alli::daemon
