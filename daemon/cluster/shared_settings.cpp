// SPDX-License-Identifier: Apache-2.0
#include "daemon/cluster/shared_settings.hpp"

#include "alli/random.hpp"
#include "cluster/postgres/nonce.hpp"
#include "cluster/postgres/publish.hpp"
#include "cluster/postgres/rounds.hpp"
#include "daemon/settings/assign.hpp"
#include "upstream/curl/origin.hpp"

#include <algorithm>
#include <array>

namespace alli::daemon {
namespace {

constexpr std::array<std::string_view, 9> shared_keys{
    "upstream.time_unit", "upstream.daily_count", "upstream.update",     "upstream.delete",    "upstream.title",
    "mirror.retention",   "sync.variables",       "sync.backfill_since", "outbox.on_conflict",
};
constexpr const char* upstream_key = "upstream.url";
constexpr std::chrono::milliseconds patience{2'000}; // a start waits no longer for a database that is away

Task<cluster::SharedSettings> load(cluster::Session& session)
{
    std::vector<std::string> names{cluster::settings_name};
    const auto state = co_await cluster::read_state(session, std::move(names));
    co_return state.empty() ? cluster::SharedSettings() : cluster::read_settings(state.front().value);
}

Task<bool> put(cluster::Session& session, cluster::SharedSettings ours)
{
    const cluster::SharedSettings there = co_await load(session);
    ours.insert(there.begin(), there.end());
    SystemRandom random;
    std::vector<cache::PublishedState> state{{cluster::settings_name, cluster::write_settings(ours)}};
    co_await cluster::put_state(session, std::move(state), cluster::make_nonce(random));
    co_await cluster::notify_news(session);
    co_return true;
}

} // namespace

// Of a list the order says nothing.
cluster::SharedSettings shared_settings(const Config& config)
{
    Config sorted = config;
    std::sort(sorted.variables.begin(), sorted.variables.end());
    cluster::SharedSettings settings{{upstream_key, upstream::read_origin(config.upstream_url).base}};
    for (const Setting& setting : setting_table())
        if (std::find(shared_keys.begin(), shared_keys.end(), setting.key) != shared_keys.end())
            settings[std::string(setting.key)] = toml_text(sorted, setting);
    return settings;
}

cluster::SharedSettings load_shared_settings(const cluster::SessionOptions& database)
{
    return on_database<cluster::SharedSettings>(database, &load);
}

void require_same_settings(const cluster::SessionOptions& database, const cluster::SharedSettings& ours)
{
    cluster::SessionOptions options = database;
    options.patience = patience;
    cluster::SharedSettings shared;
    try {
        shared = load_shared_settings(options);
    } catch (const Error&) {
        return; // it follows as soon as it can, and compares them then
    }
    cluster::require_same(ours, shared);
}

void put_shared_settings(const cluster::SessionOptions& database, cluster::SharedSettings ours)
{
    on_database<bool>(database, [&](cluster::Session& session) { return put(session, std::move(ours)); });
}

} // namespace alli::daemon
