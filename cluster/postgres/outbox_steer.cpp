// SPDX-License-Identifier: Apache-2.0
// What a person, or an app that got its answer, does to the shared outbox from any node: not fenced, in the order of
// numbers like all else.
#include "cluster/postgres/outbox.hpp"
#include "cluster/postgres/outbox_row.hpp"

namespace alli::cluster {
namespace {

constexpr const char* retry_sql =
    "UPDATE entry SET state = 'pending', forced = forced OR state = 'conflict', conflict ="
    " CASE WHEN state = 'conflict' THEN NULL ELSE conflict END, next_attempt_us = NULL, settled_us = NULL,"
    " crashes = CASE WHEN state = 'failed' THEN 0 ELSE crashes END, told = told AND state <> 'failed',"
    " place = CASE WHEN state = 'failed' THEN last ELSE place END, seq = last FROM head"
    " WHERE id = $1::bigint AND NOT discarded AND entry.state IN ('pending', 'conflict', 'failed')";
constexpr const char* discard_sql =
    "WITH old AS (SELECT id, octet_length(body) AS size FROM entry WHERE id = $1::bigint AND NOT discarded"
    " AND state IN ('pending', 'conflict', 'failed')),"
    " put AS (UPDATE entry SET discarded = true, body = '', headers = '', base = NULL, conflict = NULL,"
    " response = NULL, response_type = NULL, last_error = NULL, replaced = NULL, foreign_answer = NULL,"
    " foreign_said = NULL, foreign_count = 0, foreign_since_us = NULL, request_hash = '',"
    " client_key = NULL, settled_us = " ALLI_NOW_US ", seq = (SELECT last FROM head)"
    " FROM old WHERE entry.id = old.id)"
    " UPDATE head SET open_writes = open_writes - 1, open_bytes = open_bytes - size FROM old";
constexpr const char* told_sql = "UPDATE entry SET told = true, seq = (SELECT last FROM head) WHERE id = $1::bigint"
                                 " AND seq = $2::bigint AND NOT discarded AND state IN ('failed', 'delivered')";

// All that says anything of whom it was about. Whoever looks for it by its upstream key still finds that it was.
constexpr const char* empty_sql =
    "UPDATE entry SET discarded = true, conversation = CASE WHEN conversation IS NOT NULL THEN '' END, chat = NULL,"
    " path = '', headers = '', body = '', principal = '', client_key = NULL, request_hash = '', base = NULL,"
    " conflict = NULL, response = NULL, response_type = NULL, last_error = NULL, replaced = NULL,"
    " foreign_answer = NULL, foreign_said = NULL, foreign_count = 0, foreign_since_us = NULL,"
    " settled_us = coalesce(settled_us, " ALLI_NOW_US "), seq = (SELECT last FROM head)"
    " WHERE id = ANY ($1::bigint[]) AND NOT (discarded AND path = '')";
constexpr const char* cut_down_sql = "UPDATE entry SET body = $3::bytea, base = $4::bytea, response = NULL,"
                                     " seq = (SELECT last FROM head) WHERE id = $1::bigint AND seq = $2::bigint"
                                     " AND NOT discarded AND state <> 'sending'";

struct Changed {
    std::int64_t number = 0; // of the transaction
    std::optional<cache::SharedWrite> write;
};

Task<Changed> change_row(Session& session, Query change, std::int64_t id, std::string nonce)
{
    std::vector<Query> queries;
    begin_numbering(queries, 1);
    queries.push_back(std::move(change));
    queries.push_back(write_query(id));
    end_numbering(queries, nonce);
    const std::vector<Result> results = co_await session.run(std::move(queries), Commit::acknowledged);
    co_return Changed{results.at(1).number(0, 0), find_write(results.at(3))};
}

} // namespace

Task<WriteAction> retry_write(Session& session, std::int64_t id, std::string nonce)
{
    Query change{retry_sql, {number_param(id)}};
    Changed changed = co_await change_row(session, std::move(change), id, std::move(nonce));
    if (!changed.write || changed.write->discarded) co_return WriteAction{};
    const bool done = changed.write->number == changed.number;
    co_return WriteAction{done ? cache::OperatorResult::done : cache::OperatorResult::wrong_state,
                          std::move(*changed.write)};
}

Task<WriteAction> discard_write(Session& session, std::int64_t id, std::string nonce)
{
    Query change{discard_sql, {number_param(id)}};
    Changed changed = co_await change_row(session, std::move(change), id, std::move(nonce));
    if (!changed.write) co_return WriteAction{};
    const bool done = changed.write->discarded;
    co_return WriteAction{done ? cache::OperatorResult::done : cache::OperatorResult::wrong_state,
                          std::move(*changed.write)};
}

Task<> note_told(Session& session, KnownWrite known, std::string nonce)
{
    Query change{told_sql, {number_param(known.id), number_param(known.number)}};
    co_await change_row(session, std::move(change), known.id, std::move(nonce));
}

Task<> purge_writes(Session& session, std::vector<cache::ErasedWrite> writes, std::string nonce)
{
    if (writes.empty()) co_return;
    std::vector<Query> queries;
    begin_numbering(queries, 1);
    ArrayParam emptied(ArrayParam::Type::number);
    for (cache::ErasedWrite& one : writes)
        if (!one.body)
            emptied.add(one.id);
        else
            queries.push_back(
                {cut_down_sql,
                 {number_param(one.id), number_param(one.number), std::move(one.body), std::move(one.base)}});
    queries.push_back({empty_sql, {emptied.take()}});
    queries.push_back(recount_query());
    end_numbering(queries, nonce);
    co_await session.run(std::move(queries), Commit::acknowledged);
}

} // namespace alli::cluster
