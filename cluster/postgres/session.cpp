// SPDX-License-Identifier: Apache-2.0
#include "cluster/postgres/session.hpp"

#include "cluster/libpq/server_error.hpp"
#include "cluster/postgres/truth_schema.hpp"
#include "cluster/truth.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace alli::cluster {
namespace {

// A transaction never waits for us: what holds the row of all others that long is ended by the server. Whatever a role
// is set to, a commit waits for the disk, and for the standby where there is one, and its warnings are told.
constexpr const char* session_sql =
    "SELECT set_config('search_path', $1::text, false), set_config('idle_in_transaction_session_timeout', '2s', false),"
    " set_config('lock_timeout', '2s', false), set_config('statement_timeout', '60s', false),"
    " set_config('client_min_messages', 'warning', false), set_config('synchronous_commit',"
    " CASE current_setting('synchronous_commit') WHEN 'remote_apply' THEN 'remote_apply' ELSE 'on' END, false)";
constexpr const char* version_sql = "SELECT version::bigint, read_from::bigint FROM head";

constexpr std::chrono::seconds longest_statement{60}; // as session_sql says

// The server answers nothing while it stores what it was sent: a second for each megabyte.
Connection::Patience patience_for(const std::vector<Query>& queries, Connection::Patience usual)
{
    std::size_t bytes = 0;
    for (const Query& query : queries)
        for (const Param& param : query.params) bytes += param ? param->size() : 0;
    const std::chrono::seconds more(bytes >> 20);
    return std::max(usual, std::min<Connection::Patience>(usual + more, longest_statement));
}

} // namespace

std::string quote_name(std::string_view name)
{
    std::string quoted = "\"";
    for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + '"';
}

void check_versions(std::int64_t version, std::int64_t read_from)
{
    const auto ours = std::ssize(truth_schema.steps);
    if (version < ours)
        throw Error(Fault::settings, "`alli-mirror cluster migrate` brings them to it",
                    "the cluster's tables are of version {}, this program needs {}", version, ours);
    if (read_from > ours)
        throw Error(Fault::settings, "install the newer program at this node",
                    "the cluster's tables can be read by programs of version {} or later, this one has {}", read_from,
                    ours);
}

class Session::Turn {
  public:
    explicit Turn(Session& session) : session_(session) {} // which has been taken
    ~Turn()
    {
        session_.taken_ = false;
        session_.turn_.cancel(); // all: of those that wait some may be canceled themselves
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

  private:
    Session& session_;
};

Session::Session(asio::io_context& loop, SessionOptions options)
    : options_(std::move(options)), resolver_(options_.look_up), listen_sql_("LISTEN " + quote_name(options_.schema)),
      turn_(loop, asio::steady_timer::time_point::max())
{}

Task<> Session::take_turn()
{
    while (taken_) {
        boost::system::error_code woken;
        co_await turn_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    taken_ = true;
}

// What is asked for has not gone out: whoever asked may know that it did not happen. What the server itself said stays
// what it said.
Task<> Session::connect()
{
    std::optional<Error> failed;
    try {
        co_await connect_anew();
    } catch (const ServerError&) {
        throw;
    } catch (const Error& error) {
        failed = error;
    }
    if (failed) throw NothingSent(*failed);
}

Task<> Session::connect_anew()
{
    if (closed_) throw Error(Fault::canceled, "", "the cluster's connections are closed");
    if (connection_ && !connection_->is_broken()) co_return;
    connection_.reset();
    std::unique_ptr<Connection> fresh = co_await Connection::open(options_.targets, resolver_, options_.patience);
    std::vector<Query> queries;
    const Param path = quote_name(options_.schema) + ", pg_temp";
    queries.push_back({session_sql, {path}});
    if (options_.needs_tables) queries.push_back({version_sql});
    if (options_.listens) queries.push_back({listen_sql_.c_str()});
    const std::vector<Result> results = co_await fresh->run(std::move(queries), options_.patience);
    if (options_.needs_tables) {
        if (results.at(1).rows() == 0)
            throw Error(Fault::settings, "`alli-mirror cluster init` makes them", "the cluster's tables are empty");
        check_versions(results[1].number(0, 0), results[1].number(0, 1));
    }
    connection_ = std::move(fresh);
}

Task<std::vector<Result>> Session::run(std::vector<Query> queries, Commit commit)
{
    co_await take_turn();
    const Turn turn(*this);
    co_await connect();
    const Connection::Patience patience = patience_for(queries, options_.patience);
    std::vector<Result> results = co_await connection_->run(std::move(queries), patience);
    if (commit == Commit::acknowledged && connection_->was_warned())
        throw Error(Fault::unreachable, "does its standby run, and can it be reached?",
                    "the cluster's database has committed and does not say that its standby has");
    co_return results;
}

Task<> Session::run_script(std::string sql, std::optional<Connection::Patience> patience)
{
    co_await take_turn();
    const Turn turn(*this);
    co_await connect();
    co_await connection_->run_script(std::move(sql), patience.value_or(options_.patience));
}

Task<bool> Session::wait_notification(Connection::Patience patience)
{
    co_await take_turn();
    const Turn turn(*this);
    co_await connect();
    co_return co_await connection_->wait_notification(patience);
}

void Session::close()
{
    closed_ = true;
    resolver_.cancel();
    if (connection_) connection_->cancel();
}

} // namespace alli::cluster
