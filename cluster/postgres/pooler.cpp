// SPDX-License-Identifier: Apache-2.0
#include "cluster/postgres/pooler.hpp"

namespace alli::cluster {
namespace {

constexpr const char* process_sql = "SELECT pg_backend_pid()::bigint";
constexpr const char* begin_sql = "BEGIN";
constexpr const char* commit_sql = "COMMIT";
constexpr std::string_view no_such_statement = "26000", statement_is_there = "42P05";

Task<std::int64_t> find_process(Session& session)
{
    std::vector<Query> queries;
    queries.push_back({process_sql});
    const std::vector<Result> results = co_await session.run(std::move(queries));
    co_return results.at(0).number(0, 0);
}

Task<> run(Session& session, const char* sql)
{
    std::vector<Query> queries;
    queries.push_back({sql});
    co_await session.run(std::move(queries));
}

} // namespace

// While the other one has a transaction open, a pooler must give it a process of its own: the idle one that this
// session had. A statement that was prepared is then unknown, or there already.
Task<bool> is_pooled_by_transaction(asio::io_context& loop, SessionOptions options)
{
    Session session(loop, options), other(loop, options);
    try {
        const std::int64_t before = co_await find_process(session);
        co_await run(other, begin_sql);
        co_await find_process(other);
        const std::int64_t after = co_await find_process(session);
        co_await run(other, commit_sql);
        co_return before != after;
    } catch (const ServerError& error) {
        if (error.state() != no_such_statement && error.state() != statement_is_there) throw;
        co_return true;
    }
}

} // namespace alli::cluster
