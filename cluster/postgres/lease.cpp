// SPDX-License-Identifier: Apache-2.0
#include "cluster/postgres/lease.hpp"

#include "cluster/postgres/publish.hpp"
#include "cluster/postgres/text.hpp"
#include "cluster/postgres/truth_schema.hpp"

namespace alli::cluster {
namespace {

constexpr const char* head_sql =
    "SELECT store_id::text, epoch, beat, holder, leader, last, (SELECT nonce FROM trail WHERE seq = last), now(),"
    " (SELECT min(seq) FROM trail), lease_ms, led_from, (SELECT max(seq) FROM entry)"
    " FROM head";
constexpr const char* continuity_sql =
    "SELECT CASE WHEN $1::bigint = 0 THEN 0"
    " WHEN EXISTS (SELECT FROM trail WHERE seq = $1::bigint AND nonce = $2::text) THEN 0"
    " WHEN $1::bigint < (SELECT min(seq) FROM trail) THEN 1 ELSE 2 END::bigint";
constexpr const char* campaign_sql =
    "UPDATE head SET holder = $3::text, leader = $4::text, epoch = epoch + 1, beat = beat + 1, lease_ms = $6::bigint,"
    " led_from = CASE WHEN led_by = $4::text AND led_epoch = epoch THEN led_from ELSE epoch + 1 END,"
    " led_by = $4::text, led_epoch = epoch + 1"
    " WHERE epoch = $1::bigint AND beat = $2::bigint AND write_from <= $5::bigint RETURNING epoch";
// A number from further ahead than any clock may be wrong is none that this database gave.
#define ALLI_CLOCK "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
constexpr const char* lift_sql = "UPDATE head SET last = greatest(last + 1, " ALLI_CLOCK ","
                                 " CASE WHEN $1::bigint < " ALLI_CLOCK " + 86400000000 THEN $1::bigint ELSE 0 END + 1)"
                                 " RETURNING last";
// A leader that was frozen amid its flush holds the row, and no timeout of the server sees it: it is still sending.
constexpr const char* end_holders_sql =
    "SELECT pg_terminate_backend(l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
    " WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND l.relation = 'head'::regclass AND l.mode = 'RowExclusiveLock' AND l.granted AND l.pid <> pg_backend_pid()"
    " AND a.xact_start < now() - interval '2 seconds'";
constexpr std::string_view lock_timeout = "55P03";
constexpr const char* write_from_sql = "SELECT write_from::bigint FROM head";
constexpr const char* beat_sql = "UPDATE head SET beat = beat + 1, lease_ms = $3::bigint WHERE epoch = $1::bigint AND "
                                 "holder = $2::text RETURNING beat";
constexpr const char* resign_sql =
    "UPDATE head SET holder = '', leader = '', beat = beat + 1 WHERE epoch = $1::bigint AND holder = $2::text";
constexpr const char* announce_sql =
    "INSERT INTO node (name, version, address, role, doing, position, seen_at)"
    " VALUES ($1::text, $2::text, $3::text, $4::text, $5::text, $6::bigint, now())"
    " ON CONFLICT (name) DO UPDATE SET version = EXCLUDED.version, address = EXCLUDED.address, role = EXCLUDED.role,"
    " doing = EXCLUDED.doing, position = EXCLUDED.position, seen_at = EXCLUDED.seen_at";
constexpr const char* nodes_sql = "SELECT name, version, address, role, doing, position,"
                                  " (extract(epoch FROM now() - seen_at) * 1000)::bigint FROM node ORDER BY name";

Task<Result> run_one(Session& session, Query query)
{
    std::vector<Query> queries;
    queries.push_back(std::move(query));
    std::vector<Result> results = co_await session.run(std::move(queries));
    co_return std::move(results.at(0));
}

} // namespace

Query head_query()
{
    return {head_sql};
}

Head head_of(const Result& result)
{
    Head head;
    head.store = result.text(0, 0);
    head.epoch = result.number(0, 1);
    head.beat = result.number(0, 2);
    head.holder = result.text(0, 3);
    head.leader = result.text(0, 4);
    head.last = {result.number(0, 5), result.find_text(0, 6).value_or("")};
    head.kept_since = result.find_number(0, 8).value_or(head.last.number);
    head.lease = std::chrono::milliseconds(result.number(0, 9));
    head.led_from = result.number(0, 10);
    head.last_write = result.find_number(0, 11).value_or(0);
    return head;
}

Query continuity_query(const Position& position)
{
    return {continuity_sql, {number_param(position.number), position.nonce}};
}

Continuity continuity_of(const Result& result)
{
    return static_cast<Continuity>(result.number(0, 0));
}

Task<Head> read_head(Session& session)
{
    Query query = head_query();
    const Result result = co_await run_one(session, std::move(query));
    co_return head_of(result);
}

Task<std::optional<std::int64_t>> campaign(Session& session, Member self, std::int64_t epoch, std::int64_t beat)
{
    const auto ours = std::ssize(truth_schema.steps);
    std::vector<Query> queries;
    queries.push_back({campaign_sql,
                       {number_param(epoch), number_param(beat), self.holder, readable_text(self.node),
                        number_param(ours), number_param(self.lease.count())}});
    queries.push_back({write_from_sql});
    std::vector<Result> results;
    std::optional<ServerError> held;
    try {
        results = co_await session.run(std::move(queries));
    } catch (const ServerError& error) {
        if (error.state() != lock_timeout) throw;
        held = error;
    }
    if (held) {
        Query query{end_holders_sql};
        co_await run_one(session, std::move(query));
        throw *held; // the next attempt finds the row free
    }
    if (results.at(1).number(0, 0) > ours)
        throw Error(Fault::settings, "install the newer program at this node",
                    "a program of version {} or later may lead the cluster, this one has {}", results[1].number(0, 0),
                    ours);
    co_return results[0].rows() > 0 ? std::optional(results[0].number(0, 0)) : std::nullopt;
}

Task<> lift_numbers(Session& session, std::int64_t above, std::string nonce)
{
    std::vector<Query> queries;
    begin_transaction(queries);
    queries.push_back({lift_sql, {number_param(above)}});
    end_numbering(queries, nonce);
    const std::vector<Result> results = co_await session.run(std::move(queries));
    results.at(1).number(0, 0); // else it is not there to be lifted
}

Task<Beat> send_beat(Session& session, Member self, std::int64_t epoch, Position mine)
{
    std::vector<Query> queries;
    queries.push_back({beat_sql, {number_param(epoch), self.holder, number_param(self.lease.count())}});
    queries.push_back(continuity_query(mine));
    const std::vector<Result> results = co_await session.run(std::move(queries));
    co_return Beat{results.at(0).rows() > 0, continuity_of(results.at(1))};
}

Task<> resign(Session& session, Member self, std::int64_t epoch)
{
    Query query{resign_sql, {number_param(epoch), self.holder}};
    co_await run_one(session, std::move(query));
}

Task<> announce(Session& session, Member self, NodeRow row)
{
    Query query{announce_sql,
                {readable_text(self.node), readable_text(row.version), readable_text(row.address),
                 readable_text(row.role), readable_text(row.doing), number_param(row.position)}};
    co_await run_one(session, std::move(query));
}

Task<std::vector<NodeRow>> list_nodes(Session& session)
{
    Query query{nodes_sql};
    const Result result = co_await run_one(session, std::move(query));
    std::vector<NodeRow> nodes;
    for (int at = 0; at < result.rows(); ++at) {
        NodeRow node;
        node.name = result.text(at, 0);
        node.version = result.text(at, 1);
        node.address = result.text(at, 2);
        node.role = result.text(at, 3);
        node.doing = result.text(at, 4);
        node.position = result.number(at, 5);
        node.age = std::chrono::milliseconds(result.number(at, 6));
        nodes.push_back(std::move(node));
    }
    co_return nodes;
}

} // namespace alli::cluster
