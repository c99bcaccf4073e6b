// SPDX-License-Identifier: Apache-2.0
#include "cluster/postgres/asked.hpp"

#include "cluster/postgres/lease.hpp"
#include "cluster/postgres/text.hpp"

#include <array>

namespace alli::cluster {
namespace {

using Type = ArrayParam::Type;

constexpr const char* begin_hearing_sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
constexpr const char* end_hearing_sql = "COMMIT";
constexpr const char* new_suppressed_sql = "SELECT key_id, hash FROM suppressed WHERE seq > $1::bigint ORDER BY seq";
constexpr const char* all_suppressed_sql = "SELECT key_id, hash FROM suppressed ORDER BY key_id, hash";
constexpr const char* runs_sql = "SELECT conversation, node, state, seq FROM run WHERE seq > $1::bigint ORDER BY seq";
constexpr const char* refreshes_sql = "SELECT conversation, node, seq FROM refresh WHERE seq > $1::bigint ORDER BY seq";

constexpr const char* put_suppressed_sql =
    "INSERT INTO suppressed (key_id, hash, seq) SELECT key_id, hash, (SELECT last FROM head) - $3::bigint + row"
    " FROM unnest($1::text[], $2::bytea[]) WITH ORDINALITY AS u (key_id, hash, row)"
    " ON CONFLICT (key_id, hash) DO NOTHING";
constexpr const char* put_run_sql =
    "INSERT INTO run (conversation, state, node, seq) SELECT $1::text, $2::text, $3::text, last FROM head"
    " ON CONFLICT (conversation) DO UPDATE SET state = EXCLUDED.state, node = EXCLUDED.node, seq = EXCLUDED.seq";
constexpr const char* put_refreshes_sql =
    "INSERT INTO refresh (conversation, node, seq) SELECT id, $2::text, (SELECT last FROM head) - $3::bigint + row"
    " FROM unnest($1::text[]) WITH ORDINALITY AS u (id, row)"
    " ON CONFLICT (conversation) DO UPDATE SET node = EXCLUDED.node, asked_at = now(), seq = EXCLUDED.seq";
constexpr const char* settle_runs_sql =
    "UPDATE run SET state = 'settled', seq = (SELECT last FROM head) - $3::bigint + row"
    " FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS u (id, number, row)"
    " WHERE run.conversation = u.id AND run.seq = u.number";
constexpr const char* settle_refreshes_sql =
    "DELETE FROM refresh USING unnest($1::text[], $2::bigint[]) AS u (id, number)"
    " WHERE refresh.conversation = u.id AND refresh.seq = u.number";

constexpr std::array<std::string_view, 3> state_names{"running", "ended", "settled"};

// A word of a later version is one that says nothing of its end.
RunState state_of(std::string_view name)
{
    for (std::size_t at = 0; at < state_names.size(); ++at)
        if (state_names[at] == name) return static_cast<RunState>(at);
    return RunState::running;
}

std::vector<Suppressed> suppressed_of(const Result& result)
{
    std::vector<Suppressed> rows;
    for (int at = 0; at < result.rows(); ++at)
        rows.push_back({unescape_id(result.text(at, 0)), std::string(result.text(at, 1))});
    return rows;
}

std::vector<Run> runs_of(const Result& result)
{
    std::vector<Run> rows;
    for (int at = 0; at < result.rows(); ++at)
        rows.push_back({unescape_id(result.text(at, 0)), std::string(result.text(at, 1)), state_of(result.text(at, 2)),
                        result.number(at, 3)});
    return rows;
}

std::vector<Refresh> refreshes_of(const Result& result)
{
    std::vector<Refresh> rows;
    for (int at = 0; at < result.rows(); ++at)
        rows.push_back({unescape_id(result.text(at, 0)), std::string(result.text(at, 1)), result.number(at, 2)});
    return rows;
}

/// Conversations and numbers of some rows.
template <class Row>
std::vector<Param> names_and_numbers(const std::vector<Row>& rows)
{
    ArrayParam id(Type::text), number(Type::number);
    for (const Row& row : rows) {
        id.add(std::string_view(escape_id(row.conversation)));
        number.add(row.number);
    }
    return {id.take(), number.take()};
}

/// Rows that any node may write: not fenced.
Task<Position> put_rows(Session& session, Query rows, std::int64_t count, std::string nonce)
{
    std::vector<Query> queries;
    begin_numbering(queries, count);
    queries.push_back(std::move(rows));
    end_numbering(queries, nonce);
    const std::vector<Result> results = co_await session.run(std::move(queries));
    co_return Position{results.at(1).number(0, 0), nonce};
}

} // namespace

void add_asked(std::vector<Query>& queries, std::int64_t after)
{
    const Param number = number_param(after);
    for (const char* const sql : {new_suppressed_sql, runs_sql, refreshes_sql}) queries.push_back({sql, {number}});
}

void take_asked(std::vector<Result>& results, std::size_t at, Round& round)
{
    round.suppressed = suppressed_of(results.at(at));
    round.runs = runs_of(results.at(at + 1));
    round.refreshes = refreshes_of(results.at(at + 2));
}

Task<Round> hear_asked(Session& session, Position after)
{
    std::vector<Query> queries;
    queries.push_back({begin_hearing_sql});
    queries.push_back(head_query());
    queries.push_back(continuity_query(after));
    add_asked(queries, after.number);
    queries.push_back({end_hearing_sql});
    std::vector<Result> results = co_await session.run(std::move(queries));
    Round round;
    round.head = head_of(results.at(1));
    round.now = results[1].time(0, 7);
    round.continuity = continuity_of(results.at(2));
    if (round.continuity == Continuity::same) take_asked(results, 3, round);
    co_return round;
}

Task<std::vector<Suppressed>> read_suppressions(Session& session)
{
    std::vector<Query> queries;
    queries.push_back({all_suppressed_sql});
    const std::vector<Result> results = co_await session.run(std::move(queries));
    co_return suppressed_of(results.at(0));
}

Task<> suppress_rows(Session& session, std::vector<Suppressed> added, std::string nonce)
{
    ArrayParam key(Type::text), hash(Type::bytes);
    for (const Suppressed& row : added) {
        key.add(std::string_view(escape_id(row.key_id)));
        hash.add(std::string_view(row.hash));
    }
    std::vector<Query> queries;
    begin_numbering(queries, std::ssize(added));
    queries.push_back({put_suppressed_sql, {key.take(), hash.take(), number_param(std::ssize(added))}});
    end_numbering(queries, nonce);
    co_await session.run(std::move(queries));
}

Task<Position> note_run(Session& session, Run run, std::string nonce)
{
    Query row{put_run_sql,
              {escape_id(run.conversation), std::string(state_names.at(static_cast<std::size_t>(run.state))),
               readable_text(run.node)}};
    co_return co_await put_rows(session, std::move(row), 1, std::move(nonce));
}

Task<> ask_refresh(Session& session, std::vector<std::string> conversations, std::string node, std::string nonce)
{
    ArrayParam ids(Type::text);
    for (const std::string& id : conversations) ids.add(std::string_view(escape_id(id)));
    const std::int64_t count = std::ssize(conversations);
    Query rows{put_refreshes_sql, {ids.take(), readable_text(node), number_param(count)}};
    co_await put_rows(session, std::move(rows), count, std::move(nonce));
}

Task<> settle(Session& session, Publisher by, std::vector<Run> runs, std::vector<Refresh> refreshes, std::string nonce)
{
    std::vector<Query> queries;
    begin_fenced(queries, by, std::ssize(runs));
    std::vector<Param> ended = names_and_numbers(runs);
    ended.push_back(number_param(std::ssize(runs)));
    queries.push_back({settle_runs_sql, std::move(ended)});
    queries.push_back({settle_refreshes_sql, names_and_numbers(refreshes)});
    end_numbering(queries, nonce);
    co_await run_fenced(session, std::move(queries));
}

} // namespace alli::cluster
