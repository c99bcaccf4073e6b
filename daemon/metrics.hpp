// SPDX-License-Identifier: Apache-2.0
// What GET /metrics says, in Prometheus' text format: the proxy's and the client's counts, and the state of mirror,
// outbox, engine, budget and process as it is now. docs/operations.md lists what to look at.
#pragma once

#include "alli/clock.hpp"
#include "cache/sqlite.hpp"
#include "proxy/meters.hpp"
#include "sync/engine.hpp"

#include <string>

namespace alli::daemon {

struct MetricsSources {
    cache::Reader& mirror;
    cache::Reader& outbox;
    const sync::State& live;
    const upstream::Client& client;
    const proxy::MeterRack& rack;
    Instant now, started_at;
    bool disk_full = false; // the last commit found no room
};
std::string make_metrics(const MetricsSources& from);

} // namespace alli::daemon
