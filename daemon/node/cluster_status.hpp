// SPDX-License-Identifier: Apache-2.0
// What status and metrics say of this node of a cluster.
#pragma once

#include "cluster/node_options.hpp"
#include "daemon/node/prometheus_text.hpp"

#include <nlohmann/json.hpp>

#include <string>

namespace alli::daemon {

using Json = nlohmann::ordered_json;

/// The member `cluster` of a status, what is wrong with the node, and what of the outbox waits for its lead.
/// `unpublished`: rows that the other nodes do not have yet.
void add_cluster(Json& status, const std::string& node, const cluster::NodeStatus& now, std::int64_t unpublished);

/// That another node of the cluster leads: then the webhooks of this one are not called.
void add_silent_webhooks(Json& problems);

void put_cluster(PrometheusText& out, const cluster::NodeStatus& now);

} // namespace alli::daemon
