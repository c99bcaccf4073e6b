// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/part_options.hpp"

#include "alli/zone.hpp"
#include "daemon/settings/operations.hpp"

#include <algorithm>

namespace alli::daemon {

upstream::Client::Options client_options(const Config& config, const std::string& key)
{
    upstream::Client::Options options;
    options.api_key = key;
    options.variables = config.variables;
    if (config.time_unit == "s") options.time_unit = TimeUnit::seconds;
    if (config.time_unit == "ms") options.time_unit = TimeUnit::milliseconds;
    options.daily_count_path = read_operations(config).daily_count.path;
    options.built_at = Instant(std::chrono::seconds(ALLI_BUILT_AT));
    return options;
}

// Bounded by the poll interval: a poll notices within it that upstream is back.
upstream::RateLimiter::Options pace_options(const Config& config)
{
    upstream::RateLimiter::Options options;
    options.requests_per_second = config.requests_per_second;
    options.max_in_flight = config.max_connections;
    const auto most = std::max<std::chrono::nanoseconds>(config.sync_interval * 5 / 6, std::chrono::seconds(1));
    options.breaker.longest = std::min(options.breaker.longest, most);
    options.breaker.shortest = std::min(options.breaker.shortest, options.breaker.longest / 2);
    return options;
}

sync::Options sync_options(const Config& config, bool accept_deletions)
{
    constexpr double reconcile_share = 0.25; // of the budget
    sync::Options options;
    options.reconcile_rate = config.requests_per_second * reconcile_share;
    options.accept_deletions = accept_deletions;
    options.categories = options.learns_envelopes = true;
    options.interval = config.sync_interval;
    options.overlap = config.sync_overlap;
    options.read_lag = config.read_lag;
    options.reconcile_interval = config.reconcile_interval;
    if (!config.backfill_since.empty()) options.backfill_since = read_before(config.backfill_since, Zone::of_host());
    options.max_parallel = config.max_connections;
    return options;
}

sync::DeliveryOptions delivery_options(const Config& config)
{
    sync::DeliveryOptions options;
    options.retry_initial = config.retry_initial;
    options.retry_max = config.retry_max;
    options.read_lag = config.read_lag;
    options.overwrite = config.on_conflict == "overwrite";
    // While one is written down another takes its permit.
    options.max_parallel = config.max_connections + (config.max_connections + 1) / 2;
    options.operations = read_operations(config);
    return options;
}

} // namespace alli::daemon
