// SPDX-License-Identifier: Apache-2.0
#include "daemon/cluster/cluster_database.hpp"

#include "cluster/libpq/url.hpp"
#include "cluster/postgres/lease.hpp"
#include "cluster/postgres/outbox.hpp"
#include "daemon/settings/api_key.hpp"
#include "daemon/settings/settings_check.hpp"

namespace alli::daemon {

void require_cluster(const Settings& settings, const Environment& environment)
{
    if (!settings.config.cluster.enabled())
        throw Error(Fault::settings, "cluster.url names it; docs/cluster.md says when one is needed",
                    "the settings name no cluster: this machine is alone");
    require_sound(settings, environment, {"cluster"});
}

cluster::SessionOptions session_options(const Settings& settings, const Environment& environment)
{
    require_cluster(settings, environment);
    cluster::SessionOptions options;
    options.targets = cluster::read_url(settings.config.cluster.url, load_cluster_password(settings, environment));
    options.schema = settings.config.cluster.schema;
    return options;
}

ClusterView view_cluster(const cluster::SessionOptions& options)
{
    return on_database<ClusterView>(options, [](cluster::Session& session) -> Task<ClusterView> {
        ClusterView view;
        view.head = co_await cluster::read_head(session);
        view.nodes = co_await cluster::list_nodes(session);
        view.writes = co_await cluster::count_writes(session);
        co_return view;
    });
}

} // namespace alli::daemon
