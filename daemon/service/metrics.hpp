// SPDX-License-Identifier: Apache-2.0
// The content of GET /metrics in the Prometheus text format: counters of proxy and client, and the state of mirror,
// outbox, engine, budget and process. docs/operations.md explains which ones to watch.
#pragma once

#include "alli/clock.hpp"
#include "cache/db/sqlite.hpp"
#include "cluster/node_options.hpp"
#include "proxy/request/request_metrics.hpp"
#include "sync/engine.hpp"

#include <memory>
#include <string>

namespace alli::daemon {

struct MetricsSources {
    cache::Reader& mirror;
    cache::Reader& outbox;
    const sync::State& live;
    const upstream::Client& client;
    const proxy::RequestMetrics& request_metrics;
    Instant now, started_at;
    std::size_t problems = 0;                             // that status lists
    bool disk_full = false;                               // the last commit found no room
    std::shared_ptr<const cluster::NodeStatus> node = {}; // none: this machine alone
};
std::string make_metrics(const MetricsSources& from);

} // namespace alli::daemon
