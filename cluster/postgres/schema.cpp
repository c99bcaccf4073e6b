// SPDX-License-Identifier: Apache-2.0
#include "cluster/postgres/schema.hpp"

#include "alli/random.hpp"
#include "cluster/postgres/nonce.hpp"

namespace alli::cluster {
namespace {

constexpr const char* server_sql =
    "SELECT current_setting('server_encoding'), current_setting('server_version_num')::bigint";
constexpr const char* found_sql =
    "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1::text),"
    " EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1::text),"
    " EXISTS (SELECT FROM pg_namespace WHERE nspname = $2::text),"
    " EXISTS (SELECT FROM pg_roles WHERE rolname = $2::text),"
    " (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user)";
constexpr std::chrono::hours longest_migration{24};
constexpr const char* version_sql = "SELECT version::bigint FROM head";

std::string read_name(const Session& session)
{
    return session.schema() + "_read";
}

std::string fill_in(std::string sql, const std::string& read)
{
    constexpr std::string_view mark = "{read}";
    for (std::size_t at = sql.find(mark); at != sql.npos; at = sql.find(mark, at))
        sql.replace(at, mark.size(), quote_name(read));
    return sql;
}

std::string steps_from(std::int64_t version, const std::string& read)
{
    std::string sql;
    for (std::size_t step = static_cast<std::size_t>(version); step < truth_schema.steps.size(); ++step)
        sql += fill_in(truth_schema.steps[step], read);
    return sql;
}

// From now in microseconds, so that numbers of a database that is made anew lie above those of the one before.
std::string first_row()
{
    constexpr int shares_writes_since = 5; // programs before deliver nothing of what other nodes accept: 0005
    SystemRandom random;
    return fmt::format("INSERT INTO head (system_id, version, read_from, write_from, last)"
                       " SELECT system_identifier::text, {}, 1, {}, (extract(epoch FROM now()) * 1000000)::bigint"
                       " FROM pg_control_system();"
                       "INSERT INTO trail SELECT last, '{}' FROM head;",
                       truth_schema.steps.size(), shares_writes_since, make_nonce(random));
}

std::string grants_of_role(const std::string& schema, const std::string& role)
{
    constexpr const char* rights = "SELECT, INSERT, UPDATE, DELETE";
    return fmt::format("GRANT USAGE ON SCHEMA {0} TO {1};"
                       "GRANT {2} ON ALL TABLES IN SCHEMA {0} TO {1};"
                       "ALTER DEFAULT PRIVILEGES IN SCHEMA {0} GRANT {2} ON TABLES TO {1};",
                       quote_name(schema), quote_name(role), rights);
}

std::string grants_of_reader(const std::string& read, const std::string& reader)
{
    return fmt::format("GRANT USAGE ON SCHEMA {0} TO {1};"
                       "GRANT SELECT ON ALL TABLES IN SCHEMA {0} TO {1};"
                       "ALTER DEFAULT PRIVILEGES IN SCHEMA {0} GRANT SELECT ON TABLES TO {1};",
                       quote_name(read), quote_name(reader));
}

void check_server(const Result& server)
{
    if (server.text(0, 0) != "UTF8")
        throw Error(Fault::settings, "CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0",
                    "the database's encoding is {}, it must be UTF8", server.text(0, 0));
    if (server.number(0, 1) < 130'000)
        throw Error(Fault::settings, "", "PostgreSQL 13 or later is needed, this one is {}", server.number(0, 1));
}

struct Found {
    bool schema, used, read_schema, reader, may_make_roles;
};

Found read_found(const Result& row)
{
    return {row.flag(0, 0), row.flag(0, 1), row.flag(0, 2), row.flag(0, 3), row.flag(0, 4)};
}

InitReport choose_reader(const Found& found, const InitOptions& options, const std::string& read)
{
    if (!options.reader.empty()) return {options.reader, false};
    if (found.reader) return {read, false};
    return found.may_make_roles ? InitReport{read, true} : InitReport{};
}

std::string init_sql(const std::string& schema, const std::string& read, const Found& found, const InitOptions& options,
                     const InitReport& report)
{
    std::string sql = "BEGIN;";
    if (!found.schema) sql += "CREATE SCHEMA " + quote_name(schema) + ";";
    if (!found.read_schema) sql += "CREATE SCHEMA " + quote_name(read) + ";";
    sql += "SET LOCAL search_path TO " + quote_name(schema) + ";" + steps_from(0, read) + first_row();
    if (!options.role.empty()) sql += grants_of_role(schema, options.role);
    if (report.made_reader) sql += "CREATE ROLE " + quote_name(report.reader) + " NOLOGIN;";
    if (!report.reader.empty()) sql += grants_of_reader(read, report.reader);
    return sql + "COMMIT;";
}

} // namespace

Task<InitReport> init_cluster(Session& session, InitOptions options)
{
    const std::string& schema = session.schema();
    const std::string read = read_name(session);
    std::vector<Query> queries;
    queries.push_back({server_sql});
    queries.push_back({found_sql, {schema, read}});
    const std::vector<Result> results = co_await session.run(std::move(queries));
    check_server(results.at(0));
    const Found found = read_found(results.at(1));
    if (found.used)
        throw Error(Fault::refused, "another name is set by cluster.schema", "the schema {} is in use already", schema);
    const InitReport report = choose_reader(found, options, read);
    const std::string sql = init_sql(schema, read, found, options, report);
    co_await session.run_script(sql);
    co_return report;
}

Task<std::int64_t> migrate_cluster(Session& session)
{
    std::vector<Query> query;
    query.push_back({version_sql});
    const std::vector<Result> results = co_await session.run(std::move(query));
    if (results.at(0).rows() == 0)
        throw Error(Fault::settings, "`alli-mirror cluster init` makes them", "the cluster's tables are empty");
    const std::int64_t before = results[0].number(0, 0);
    const auto ours = std::ssize(truth_schema.steps);
    if (before >= ours) co_return before;
    // Of two that migrate at once the second waits here, finds another version, and divides by none. The row that all
    // nodes need is locked last, and however long a step takes, it is waited for.
    const std::string sql = fmt::format("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s';"
                                        "LOCK TABLE node IN SHARE UPDATE EXCLUSIVE MODE;"
                                        "SELECT 1 / count(*) FROM head WHERE version = {1};{2}"
                                        "UPDATE head SET version = {0}; COMMIT;",
                                        ours, before, steps_from(before, read_name(session)));
    co_await session.run_script(sql, longest_migration);
    co_return before;
}

} // namespace alli::cluster
