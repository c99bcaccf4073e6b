// SPDX-License-Identifier: Apache-2.0
#include "daemon/node/cluster_status.hpp"

#include <algorithm>
#include <array>

namespace alli::daemon {
namespace {

using cluster::NodeStatus;
using cluster::Role;
using Type = PrometheusText::Type;

constexpr std::array roles{Role::follower, Role::leader, Role::joining, Role::apart};

std::int64_t lag_of(const NodeStatus& now)
{
    return std::max<std::int64_t>(now.last - now.position, 0);
}

void add_problem(Json& problems, std::string what, std::string hint)
{
    Json problem;
    problem["what"] = std::move(what);
    problem["since"] = nullptr;
    problem["hint"] = std::move(hint);
    problems.push_back(std::move(problem));
}

void add_trouble(Json& problems, const NodeStatus& now)
{
    for (const cluster::NodeProblem& one : now.problems) add_problem(problems, one.what, one.hint);
    if (!now.trouble.empty()) return add_problem(problems, now.trouble, now.hint);
    if (!now.database_reachable)
        add_problem(problems, "the cluster's database was not reached yet",
                    "reads are answered from this node's files; alli-mirror doctor says more");
}

void add_waiting_writes(Json& problems, std::int64_t waiting)
{
    if (waiting > 0)
        add_problem(problems,
                    fmt::format("{} {} at this node, which does not lead", waiting,
                                waiting == 1 ? "write waits" : "writes wait"),
                    "delivered when it leads again: alli-mirror cluster step-down at the node that does");
}

} // namespace

void add_cluster(Json& status, const std::string& node, const NodeStatus& now, std::int64_t unpublished)
{
    const bool leads = now.role == Role::leader;
    const bool was_its_own = now.leader == node && !leads; // a lease that it lost
    Json cluster;
    cluster["node"] = node;
    cluster["role"] = cluster::name_of(now.role);
    cluster["leader"] = now.leader.empty() || was_its_own ? Json(nullptr) : Json(now.leader);
    cluster["position"] = now.position;
    cluster["lag"] = now.hears() ? Json(lag_of(now)) : Json(nullptr);
    cluster["databaseReachable"] = now.database_reachable;
    cluster["epoch"] = now.epoch;
    status["cluster"] = std::move(cluster);
    add_trouble(status["problems"], now);
    if (!leads) add_waiting_writes(status["problems"], status["outbox"]["pending"].get<std::int64_t>());
    if (unpublished > 0) status["safeToStop"] = false;
}

void add_silent_webhooks(Json& problems)
{
    add_problem(problems, "this node does not lead, and calls its webhooks only while it does: their events wait",
                "alli-mirror cluster step-down at the node that leads, until this one does");
}

void put_cluster(PrometheusText& out, const NodeStatus& now)
{
    out.family("cluster_role", Type::gauge, "1 for the role that this node has.");
    for (const Role role : roles) out.sample(now.role == role ? 1 : 0, {{"role", cluster::name_of(role)}});
    out.gauge("cluster_position", "The number up to which this node has what the cluster shares.",
              static_cast<double>(now.position));
    if (now.hears()) // else nobody knows
        out.gauge("cluster_lag", "By how many numbers it is behind.", static_cast<double>(lag_of(now)));
    out.gauge("cluster_epoch", "How often the lead was taken; as seen last.", static_cast<double>(now.epoch));
    out.gauge("cluster_database_reachable", "Whether the cluster's database answered last.",
              now.database_reachable ? 1 : 0);
}

} // namespace alli::daemon
