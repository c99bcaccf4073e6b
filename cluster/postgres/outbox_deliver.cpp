// SPDX-License-Identifier: Apache-2.0
// What the leader alone does to the shared outbox: every statement behind the fence, each row by compare-and-set on its
// number. A request that was thought lost and arrives late finds another number and changes nothing.
#include "cluster/postgres/outbox.hpp"
#include "cluster/postgres/outbox_row.hpp"

#include <algorithm>

namespace alli::cluster {
namespace {

constexpr const char* begin_sql =
    "UPDATE entry SET state = 'sending', in_doubt = in_doubt OR (state = 'sending' AND epoch <> $3::bigint),"
    " attempts = attempts + CASE WHEN state = 'sending' AND epoch = $3::bigint THEN 0 ELSE 1 END,"
    " base = coalesce($4::bytea, base), epoch = $3::bigint, seq = (SELECT last FROM head)"
    " WHERE id = $1::bigint AND seq = $2::bigint AND upstream_key = $5::bytea AND NOT discarded"
    " AND state IN ('pending', 'sending')";
constexpr const char* settle_sql =
    "WITH put AS (UPDATE entry SET state = $3::text, last_status = $4::bigint, last_error = $5::bytea,"
    " response = $6::bytea, response_type = $7::bytea, conflict = $8::bytea, next_attempt_us = $9::bigint,"
    " in_doubt = $10::boolean, attempts = greatest(attempts - $11::bigint, 0), told = $12::boolean, crashes = 0,"
    " settled_us = CASE WHEN $3::text IN ('failed', 'delivered') THEN " ALLI_NOW_US " END,"
    " base = CASE WHEN conversation IS NULL AND $3::text IN ('failed', 'delivered') THEN NULL ELSE base END,"
    " replaced = $13::bytea, foreign_answer = $14::bytea, foreign_said = $15::bytea, foreign_count = $16::bigint,"
    " foreign_since_us = $17::bigint, unproven_us = $18::bigint, seq = (SELECT last FROM head)"
    " WHERE id = $1::bigint AND seq = $2::bigint AND upstream_key = $19::bytea AND NOT discarded"
    " AND state IN ('pending', 'sending', 'conflict')"
    " RETURNING octet_length(body) AS size)"
    " UPDATE head SET open_writes = open_writes - 1, open_bytes = open_bytes - size FROM put"
    " WHERE $3::text = 'delivered'";
constexpr const char* recover_sql =
    "UPDATE entry SET state = CASE WHEN crashes >= 2 THEN 'failed' ELSE 'pending' END, crashes = crashes + 1,"
    " settled_us = CASE WHEN crashes >= 2 THEN " ALLI_NOW_US " END,"
    " last_error = CASE WHEN crashes >= 2 THEN convert_to('three leaders in a row were lost while sending it; retry it"
    " by hand', 'UTF8') ELSE last_error END, in_doubt = true, next_attempt_us = NULL, seq = (SELECT last FROM head)"
    " WHERE state = 'sending' AND NOT discarded AND epoch <> $1::bigint RETURNING " ALLI_WRITE_COLUMNS;

constexpr const char* release_sql =
    "UPDATE entry SET state = 'pending', in_doubt = true, next_attempt_us = NULL, seq = (SELECT last FROM head)"
    " WHERE state = 'sending' AND NOT discarded AND epoch = $1::bigint";

// Those that were settled so long ago, and runs that nobody has to hear of: whoever has not got as far as they were
// changed last is told to join anew, for the trail begins behind them.
constexpr const char* forget_sql =
    "WITH since AS (SELECT coalesce((SELECT max(seq) FROM trail WHERE at < now() - $1::bigint * interval '1 second'),"
    " (SELECT min(seq) - 1 FROM trail)) AS seq),"
    " old AS (SELECT id FROM entry WHERE settled_us <= " ALLI_NOW_US " - 1000000 * $1::bigint"
    " AND (discarded OR state = 'delivered' OR (state = 'failed' AND told)) ORDER BY settled_us LIMIT 10000),"
    " gone AS (DELETE FROM entry USING old WHERE entry.id = old.id RETURNING entry.seq),"
    " ended AS (DELETE FROM run WHERE state = 'settled' AND seq <= (SELECT seq FROM since) RETURNING run.seq),"
    " cut AS (DELETE FROM trail WHERE seq < greatest((SELECT max(seq) FROM gone), (SELECT max(seq) FROM ended)))"
    " SELECT count(*) FROM gone";

/// The row as it is after `change`, which is fenced.
Task<std::optional<cache::SharedWrite>> change_row(Session& session, Publisher by, Query change, std::int64_t id,
                                                   std::string nonce)
{
    std::vector<Query> queries;
    begin_fenced(queries, by, 1);
    queries.push_back(std::move(change));
    queries.push_back(write_query(id));
    end_numbering(queries, nonce);
    const std::vector<Result> results = co_await run_fenced(session, std::move(queries), Commit::acknowledged);
    co_return find_write(results.at(4));
}

Query settle_query(const KnownWrite& known, const cache::WriteOutcome& settled)
{
    const cache::Outcome& outcome = settled.outcome;
    const cache::ForeignNote foreign = settled.foreign.value_or(cache::ForeignNote{});
    const std::optional<std::int64_t> status =
        outcome.status ? std::optional<std::int64_t>(*outcome.status) : std::nullopt;
    return {settle_sql,
            {number_param(known.id), number_param(known.number), std::string(name_of(outcome.state)),
             optional_number_param(status), outcome.error, outcome.response, outcome.response_type, outcome.conflict,
             instant_param(outcome.next_attempt_at), flag_param(outcome.in_doubt),
             number_param(outcome.uncounted ? 1 : 0), flag_param(outcome.told), settled.before,
             settled.foreign ? Param(foreign.answer) : std::nullopt,
             settled.foreign ? Param(foreign.said) : std::nullopt, number_param(foreign.count),
             instant_param(foreign.since), instant_param(settled.unproven_at), known.upstream_key}};
}

} // namespace

Task<std::vector<std::optional<cache::SharedWrite>>>
begin_writes(Session& session, Publisher by, std::vector<WantedBeginning> wanted, std::string nonce)
{
    std::vector<Query> queries;
    begin_fenced(queries, by, 1);
    for (WantedBeginning& one : wanted) {
        queries.push_back({begin_sql,
                           {number_param(one.known.id), number_param(one.known.number), number_param(by.epoch),
                            std::move(one.over), std::move(one.known.upstream_key)}});
        queries.push_back(write_query(one.known.id));
    }
    end_numbering(queries, nonce);
    const std::vector<Result> results = co_await run_fenced(session, std::move(queries), Commit::acknowledged);
    std::vector<std::optional<cache::SharedWrite>> rows;
    for (std::size_t at = 0; at < wanted.size(); ++at) rows.push_back(find_write(results.at(4 + 2 * at)));
    co_return rows;
}

Task<std::optional<cache::SharedWrite>> settle_write(Session& session, Publisher by, KnownWrite known,
                                                     cache::WriteOutcome outcome, std::string nonce)
{
    return change_row(session, std::move(by), settle_query(known, outcome), known.id, std::move(nonce));
}

Task<std::vector<cache::SharedWrite>> recover_writes(Session& session, Publisher by, std::string nonce)
{
    std::vector<Query> queries;
    begin_fenced(queries, by, 1);
    queries.push_back({recover_sql, {number_param(by.epoch)}});
    queries.push_back(recount_query());
    end_numbering(queries, nonce);
    const std::vector<Result> results = co_await run_fenced(session, std::move(queries), Commit::acknowledged);
    std::vector<cache::SharedWrite> recovered = writes_of(results.at(3));
    std::sort(recovered.begin(), recovered.end(),
              [](const auto& a, const auto& b) { return a.entry.place < b.entry.place; });
    co_return recovered;
}

Task<> release_writes(Session& session, Publisher by, std::string nonce)
{
    std::vector<Query> queries;
    begin_fenced(queries, by, 1);
    queries.push_back({release_sql, {number_param(by.epoch)}});
    end_numbering(queries, nonce);
    co_await run_fenced(session, std::move(queries), Commit::acknowledged);
}

Task<std::int64_t> forget_writes(Session& session, Publisher by, std::chrono::seconds age, std::string nonce)
{
    std::vector<Query> queries;
    begin_fenced(queries, by, 1);
    queries.push_back({forget_sql, {number_param(age.count())}});
    queries.push_back(recount_query());
    end_numbering(queries, nonce);
    const std::vector<Result> results = co_await run_fenced(session, std::move(queries), Commit::acknowledged);
    co_return results.at(3).number(0, 0);
}

} // namespace alli::cluster
