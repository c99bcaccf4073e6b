// SPDX-License-Identifier: Apache-2.0
// The two implementations of the shared truth, as the contract suite takes them: nodes of one store, which begins
// empty.
#pragma once

#include "alli/sync_wait.hpp"
#include "cluster/postgres/schema.hpp"
#include "cluster/postgres/session.hpp"
#include "cluster/truth.hpp"
#include "tests/support/postgres_server.hpp"

#include <functional>
#include <memory>

namespace cluster_tests {

using namespace alli;
using namespace alli::cluster;

/// One for all tests of the program: started by the first that asks.
support::PostgresServer& postgres();

/// A schema of a test's own, with its tables.
std::string make_schema();

/// Options of a session as a command has it; `user`: see PostgresServer::url.
SessionOptions session_options(const std::string& schema, const std::string& user = "postgres");

template <class T>
T on_session(const SessionOptions& options, const std::function<Task<T>(Session&)>& task)
{
    asio::io_context loop(1);
    Session session(loop, options);
    return sync_wait(loop, task(session));
}

class Store {
  public:
    virtual ~Store() = default;
    virtual std::unique_ptr<Truth> node(const std::string& name) = 0;
    /// Waits on the store's loop.
    virtual asio::io_context& loop() = 0;

    template <class T>
    T wait(Task<T> task)
    {
        loop().restart();
        return sync_wait(loop(), std::move(task));
    }
};

std::unique_ptr<Store> make_model_store();
std::unique_ptr<Store> make_postgres_store();

} // namespace cluster_tests
