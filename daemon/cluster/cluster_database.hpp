// SPDX-License-Identifier: Apache-2.0
// A command's own connection to the database of the cluster: opened, used and closed by one call.
#pragma once

#include "alli/sync_wait.hpp"
#include "cluster/postgres/session.hpp"
#include "cluster/truth.hpp"
#include "daemon/settings/load_settings.hpp"

#include <functional>
#include <vector>

namespace alli::daemon {

/// Throws Error{settings} where the settings name no cluster, or [cluster] is wrong.
void require_cluster(const Settings& settings, const Environment& environment);

/// As cluster.url has it, with its password. Throws as require_cluster and load_cluster_password.
cluster::SessionOptions session_options(const Settings& settings, const Environment& environment);

/// What the task returns, on a loop of its own; throws what it throws. Blocks for as long as a call may take.
template <class T>
T on_database(const cluster::SessionOptions& options, const std::function<Task<T>(cluster::Session&)>& task)
{
    asio::io_context loop(1);
    cluster::Session session(loop, options);
    return sync_wait(loop, task(session));
}

/// Who leads, the nodes by name, and what waits in the outbox that they share.
struct ClusterView {
    cluster::Head head;
    std::vector<cluster::NodeRow> nodes;
    cluster::WriteCounts writes;
};
ClusterView view_cluster(const cluster::SessionOptions& options);

} // namespace alli::daemon
