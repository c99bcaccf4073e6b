// SPDX-License-Identifier: Apache-2.0
// One connection to PostgreSQL on Asio: libpq without blocking, statements prepared at their first use, all statements
// of a call in one flush (pipeline mode). Used on one loop only, by one coroutine at a time.
#pragma once

#include "alli/error.hpp"
#include "alli/task.hpp"
#include "cluster/libpq/resolver.hpp"
#include "cluster/libpq/result.hpp"
#include "cluster/libpq/server_error.hpp"
#include "cluster/libpq/url.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

extern "C" struct pg_conn;

namespace alli::cluster {

/// The statement must be a literal: it is remembered by its text, and prepared once.
struct Query {
    const char* sql;
    std::vector<Param> params = {};
};

class Connection {
  public:
    using Patience = std::chrono::milliseconds;

    /// Tries the targets in order, each for so long; the first that takes writes is it. Throws Error{unreachable}, or
    /// Error{key_rejected} for password, certificate and rights. `resolver` outlives the call.
    static Task<std::unique_ptr<Connection>> open(std::vector<Target> targets, Resolver& resolver, Patience patience);

    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// All statements in one flush, a result each. At the first that fails the rest is not executed; what was begun is
    /// rolled back. Throws ServerError; Error{unreachable} where the connection broke or nothing moved on it for so
    /// long, and then it is_broken().
    Task<std::vector<Result>> run(std::vector<Query> queries, Patience patience);

    /// Statements as a text, one after the other, outside of the pipeline: for DDL.
    Task<> run_script(std::string sql, Patience patience);

    /// Waits for a NOTIFY of a channel that this connection LISTENs to. False: none came.
    Task<bool> wait_notification(Patience patience);

    bool is_broken() const noexcept { return broken_; }
    /// Whether the server warned of anything in the last run().
    bool was_warned() const noexcept { return warned_; }

    /// Whoever waits here gets operation_aborted.
    void cancel();

  private:
    explicit Connection(const asio::any_io_executor& executor);
    Task<> connect(Target target, Resolver& resolver, Patience patience);
    Task<> find_addresses(Target& target, Resolver& resolver, Patience patience);
    Task<> poll(const Target& target);
    Task<> wait_readable();
    Task<> flush();
    Task<> collect(std::vector<Result>& results);
    Task<> wait_result();
    Task<> roll_back();
    void begin(Patience patience);
    void attach();
    void detach();
    void send(const std::vector<Query>& queries);
    void note_failure(const pg_result* result);
    static void note_notice(void* self, const pg_result* notice);
    [[noreturn]] void fail(const std::string& what);

    asio::posix::stream_descriptor socket_; // a duplicate of libpq's
    asio::steady_timer timer_;              // the deadline of the call, moved on with each byte that moves
    Patience patience_{};
    pg_conn* connection_ = nullptr;
    std::set<const char*> prepared_;
    std::vector<const char*> expected_; // of each command on its way: the statement it prepares, or none
    std::optional<ServerError> failure_;
    bool broken_ = false, warned_ = false;
};

} // namespace alli::cluster
