// SPDX-License-Identifier: Apache-2.0
// A connection that is made when it is needed, and anew after it broke, with the settings of a session of ours; calls
// take turns. On the cluster's loop alone.
#pragma once

#include "cluster/libpq/connection.hpp"

#include <boost/asio/steady_timer.hpp>

#include <optional>

namespace alli::cluster {

struct SessionOptions {
    std::vector<Target> targets;
    std::string schema;
    bool listens = false;                 // to the news
    bool needs_tables = true;             // false: for `cluster init`
    Connection::Patience patience{5'000}; // for a call, and for connecting to a host
    LookUp look_up = &look_up_addresses;
};

/// How sure a call is that its commit stays. acknowledged: a warning of the server is Error{unreachable}, for with it
/// comes a commit whose wait for a standby was broken off, and nothing else says so.
enum class Commit { any, acknowledged };

class Session {
  public:
    Session(asio::io_context& loop, SessionOptions options);

    /// As Connection::run, on a connection that works. Throws Error{settings} where the tables are of another version.
    Task<std::vector<Result>> run(std::vector<Query> queries, Commit commit = Commit::any);
    /// `patience`: else the usual one.
    Task<> run_script(std::string sql, std::optional<Connection::Patience> patience = std::nullopt);
    Task<bool> wait_notification(Connection::Patience patience);

    /// Calls end with Error{canceled}, from now on.
    void close();

    const std::string& schema() const noexcept { return options_.schema; }

  private:
    class Turn;
    Task<> take_turn();
    Task<> connect();
    Task<> connect_anew();

    SessionOptions options_;
    Resolver resolver_;
    std::string listen_sql_;
    asio::steady_timer turn_; // never expires: who waits for a turn is woken by its cancel()
    bool taken_ = false;
    std::unique_ptr<Connection> connection_;
    bool closed_ = false;
};

/// A name as an identifier of SQL.
std::string quote_name(std::string_view name);

/// Throws Error{settings} unless a program of this version may use tables of that.
void check_versions(std::int64_t version, std::int64_t read_from);

} // namespace alli::cluster
