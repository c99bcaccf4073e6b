// SPDX-License-Identifier: Apache-2.0
#include "cluster/libpq/url.hpp"
#include "cluster/postgres/inspect.hpp"
#include "cluster/postgres/pooler.hpp"
#include "daemon/cluster/cluster_database.hpp"
#include "daemon/doctor/doctor.hpp"

#include <algorithm>

namespace alli::daemon {
namespace {

using cluster::DatabaseReport;

bool is_pooled(const cluster::SessionOptions& options)
{
    asio::io_context loop(1);
    return sync_wait(loop, cluster::is_pooled_by_transaction(loop, options));
}

void check_database(const cluster::SessionOptions& options, const ClusterSettings& settings, CheckResults& results)
{
    const auto report = on_database<DatabaseReport>(options, &cluster::inspect_database);
    const std::string name = cluster::database_of(settings.url);
    results.ok(fmt::format("PostgreSQL {} answers, {}; schema {} of database {}", report.version,
                           report.is_encrypted ? "by TLS" : "on this machine, without TLS", settings.schema, name));
    if (!report.missing_rights.empty())
        results.fail(Error(Fault::key_rejected,
                           "alli-mirror cluster init --role grants them; or GRANT them, as the tables' owner",
                           "the role lacks {}", fmt::join(report.missing_rights, ", ")));
    if (!report.is_synchronous)
        results.warn("no standby confirms a commit: where the database's machine is lost, so is what was written last",
                     "synchronous_standby_names, with a standby; one machine alone is enough for a trial");
    if (!report.is_original)
        results.warn("the tables came here by a dump: this is not the server that they were made on",
                     "point the nodes at the server that they worked with, or make the tables anew");
}

void require_no_pooler(const cluster::SessionOptions& options)
{
    if (is_pooled(options))
        throw Error(Fault::settings, "connect directly, or let it pool by session",
                    "a pooler by transaction lies between this node and the database");
}

// Each has a budget of its own: what upstream sees is their sum.
void check_budgets(const cluster::SessionOptions& options, const Config& config, CheckResults& results)
{
    const ClusterView view = view_cluster(options);
    const auto is_live = [&](const cluster::NodeRow& node) { return node.age <= config.cluster.lease * 3; };
    const auto nodes = std::count_if(view.nodes.begin(), view.nodes.end(), is_live);
    const std::string leader = view.head.leader.empty() ? "none leads" : fmt::format("{} leads", view.head.leader);
    const double each = config.requests_per_second;
    const std::string budget =
        each > 0 ? fmt::format("{} requests a second to upstream together, where each is set as this one ({})",
                               static_cast<double>(nodes) * each, each)
                 : "no limit of requests to upstream, where each is set as this one";
    results.ok(fmt::format("{} node{} seen, {}; {}", nodes, nodes == 1 ? "" : "s", leader, budget));
}

} // namespace

void check_cluster(const DoctorContext& cx, CheckResults& results)
{
    const Config& config = cx.settings.config;
    if (!config.cluster.enabled() || cx.place.sandbox) return;
    if (cx.is_hidden()) return results.ok("the service's alone: root's doctor looks at it");
    if (cx.offline) return results.ok("was not asked");
    const cluster::SessionOptions options = session_options(cx.settings, cx.context.environment);
    require_no_pooler(options);
    check_database(options, config.cluster, results);
    check_budgets(options, config, results);
}

} // namespace alli::daemon
