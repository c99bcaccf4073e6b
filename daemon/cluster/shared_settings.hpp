// SPDX-License-Identifier: Apache-2.0
// The settings that all nodes of a cluster must have, of this machine and as the database has them: `serve` does not
// start with others, `cluster settings` shows them.
#pragma once

#include "cluster/shared_settings.hpp"
#include "daemon/cluster/cluster_database.hpp"

namespace alli::daemon {

cluster::SharedSettings shared_settings(const Config& config);

/// Throws Error{settings} where the cluster has others. Whatever keeps it from being asked is no reason not to start.
void require_same_settings(const cluster::SessionOptions& database, const cluster::SharedSettings& ours);

/// As the database has them; empty: nobody led yet.
cluster::SharedSettings load_shared_settings(const cluster::SessionOptions& database);
/// From now on these are the cluster's; those of a newer version that only it knows stay.
void put_shared_settings(const cluster::SessionOptions& database, cluster::SharedSettings ours);

} // namespace alli::daemon
