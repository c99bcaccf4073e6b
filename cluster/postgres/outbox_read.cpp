// SPDX-License-Identifier: Apache-2.0
// Reading the shared outbox: what changed since a position, and all of it for a node that joins.
#include "cluster/postgres/lease.hpp"
#include "cluster/postgres/outbox.hpp"
#include "cluster/postgres/outbox_row.hpp"

namespace alli::cluster {
namespace {

constexpr const char* begin_sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
constexpr const char* commit_sql = "COMMIT";
constexpr std::int64_t most_bytes = std::int64_t{16} << 20; // of a part

#define ALLI_WRITE_SIZE "octet_length(body) + coalesce(octet_length(response), 0)"

// To the last number whose rows fit, or the first one: rows that one transaction changed have one number.
constexpr const char* part_sql =
    "WITH near AS (SELECT seq, " ALLI_WRITE_SIZE " AS size FROM entry WHERE seq > $1::bigint ORDER BY seq"
    " LIMIT $2::bigint + 1),"
    " summed AS (SELECT seq, row_number() OVER (ORDER BY seq) AS nth, sum(size) OVER (ORDER BY seq) AS bytes FROM "
    "near),"
    " beyond AS (SELECT min(seq) AS seq FROM summed WHERE nth > $2::bigint OR bytes > $3::bigint),"
    " part AS (SELECT CASE WHEN beyond.seq IS NULL THEN head.last ELSE coalesce("
    "(SELECT max(seq) FROM near WHERE seq < beyond.seq), beyond.seq) END AS upto FROM beyond, head)"
    " SELECT upto, (SELECT nonce FROM trail WHERE seq = upto), set_config('alli_mirror.upto', upto::text, true)"
    " FROM part";
constexpr const char* changes_sql = "SELECT " ALLI_WRITE_COLUMNS " FROM entry WHERE seq > $1::bigint"
                                    " AND seq <= current_setting('alli_mirror.upto')::bigint ORDER BY seq, id";

constexpr const char* chunk_sql =
    "WITH near AS (SELECT id, " ALLI_WRITE_SIZE " AS size FROM entry WHERE id > $1::bigint ORDER BY id"
    " LIMIT $2::bigint + 1),"
    " summed AS (SELECT id, row_number() OVER (ORDER BY id) AS nth, sum(size) OVER (ORDER BY id) AS bytes FROM near),"
    " taken AS (SELECT id FROM summed WHERE nth = 1 OR (nth <= $2::bigint AND bytes <= $3::bigint))"
    " SELECT " ALLI_WRITE_COLUMNS ", (SELECT count(*) FROM near) = (SELECT count(*) FROM taken) AS at_end"
    " FROM entry WHERE id IN (SELECT id FROM taken) ORDER BY id";
constexpr const char* count_sql =
    "SELECT state, count(*), coalesce(sum(octet_length(body)), 0), min(created_us)" ALLI_OPEN_WRITES " GROUP BY state";

void add_count(WriteCounts& counts, const Result& result, int row)
{
    struct {
        std::string_view state;
        std::int64_t WriteCounts::*count;
        bool waits;
    } constexpr states[] = {{"pending", &WriteCounts::pending, true},
                            {"sending", &WriteCounts::sending, true},
                            {"conflict", &WriteCounts::conflicts, false},
                            {"failed", &WriteCounts::failed, false}};
    counts.bytes += result.number(row, 2);
    const Instant oldest{std::chrono::microseconds(result.number(row, 3))};
    for (const auto& one : states) {
        if (one.state != result.text(row, 0)) continue;
        counts.*one.count = result.number(row, 1);
        if (one.waits) counts.oldest = std::min(counts.oldest.value_or(oldest), oldest);
    }
}

} // namespace

Task<WriteChanges> read_write_changes(Session& session, Position after, std::size_t limit)
{
    const Param number = number_param(after.number);
    std::vector<Query> queries;
    queries.push_back({begin_sql});
    queries.push_back(head_query());
    queries.push_back(continuity_query(after));
    queries.push_back({part_sql, {number, number_param(static_cast<std::int64_t>(limit)), number_param(most_bytes)}});
    queries.push_back({changes_sql, {number}});
    queries.push_back({commit_sql});
    const std::vector<Result> results = co_await session.run(std::move(queries));

    WriteChanges changes;
    changes.last = head_of(results.at(1)).last;
    changes.continuity = after.number == 0 ? Continuity::forgotten : continuity_of(results.at(2));
    if (changes.continuity != Continuity::same) co_return changes;
    changes.upto = {results.at(3).number(0, 0), results[3].find_text(0, 1).value_or("")};
    changes.writes = writes_of(results.at(4));
    co_return changes;
}

Task<WriteChunk> read_write_chunk(Session& session, std::int64_t after_id, std::size_t limit)
{
    std::vector<Query> queries;
    queries.push_back(
        {chunk_sql,
         {number_param(after_id), number_param(static_cast<std::int64_t>(limit)), number_param(most_bytes)}});
    const std::vector<Result> results = co_await session.run(std::move(queries));
    const Result& rows = results.at(0);
    co_return WriteChunk{writes_of(rows), rows.rows() == 0 || rows.flag(0, write_columns)};
}

Task<std::optional<cache::SharedWrite>> find_write(Session& session, std::int64_t id)
{
    std::vector<Query> queries;
    queries.push_back(write_query(id));
    const std::vector<Result> results = co_await session.run(std::move(queries));
    co_return find_write(results.at(0));
}

Task<WriteCounts> count_writes(Session& session)
{
    std::vector<Query> queries;
    queries.push_back({count_sql});
    const std::vector<Result> results = co_await session.run(std::move(queries));
    WriteCounts counts;
    for (int row = 0; row < results.at(0).rows(); ++row) add_count(counts, results[0], row);
    co_return counts;
}

} // namespace alli::cluster
