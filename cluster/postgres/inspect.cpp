// SPDX-License-Identifier: Apache-2.0
#include "cluster/postgres/inspect.hpp"

namespace alli::cluster {
namespace {

constexpr const char* server_sql =
    "SELECT current_setting('server_version'),"
    " coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false),"
    " current_setting('synchronous_standby_names') <> ''"
    " AND current_setting('synchronous_commit') IN ('on', 'remote_apply', 'remote_write')";
constexpr const char* head_sql = "SELECT version::bigint, read_from::bigint,"
                                 " system_id = (SELECT system_identifier::text FROM pg_control_system()) FROM head";
constexpr const char* rights_sql =
    "SELECT p.name || ' on ' || t.name FROM"
    " (VALUES ('head'), ('trail'), ('conversation'), ('chat'), ('state'), ('suppressed'), ('run'), ('refresh'),"
    " ('node'), ('entry')) AS t (name),"
    " (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) AS p (name)"
    " WHERE NOT has_table_privilege(t.name::regclass, p.name) ORDER BY 1";

} // namespace

Task<DatabaseReport> inspect_database(Session& session)
{
    std::vector<Query> queries;
    for (const char* const sql : {server_sql, head_sql, rights_sql}) queries.push_back({sql});
    const std::vector<Result> results = co_await session.run(std::move(queries));
    const Result& head = results.at(1);
    if (head.rows() == 0)
        throw Error(Fault::settings, "`alli-mirror cluster init` makes them", "the cluster's tables are empty");
    check_versions(head.number(0, 0), head.number(0, 1));

    DatabaseReport report;
    report.version = results[0].text(0, 0);
    report.is_encrypted = results[0].flag(0, 1);
    report.is_synchronous = results[0].flag(0, 2);
    report.is_original = head.flag(0, 2);
    for (int row = 0; row < results.at(2).rows(); ++row) report.missing_rights.emplace_back(results[2].text(row, 0));
    co_return report;
}

} // namespace alli::cluster
