// SPDX-License-Identifier: Apache-2.0
// Gathers the writes that are to be accepted while a transaction of theirs is on its way: the next one takes all of
// them, so that many requests at a node share a commit, and a wait for its standby. On the cluster's loop.
#pragma once

#include "cluster/postgres/outbox.hpp"

#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>
#include <memory>

namespace alli::cluster {

class AcceptQueue {
  public:
    /// `session` outlives it. `nonce` makes one; `told` is called after each transaction.
    AcceptQueue(Session& session, std::string node, std::function<std::string()> nonce, std::function<void()> told)
        : session_(session), node_(std::move(node)), nonce_(std::move(nonce)), told_(std::move(told))
    {}

    /// As SharedOutbox::accept.
    Task<Accepted> accept(cache::NewWrite write, cache::OutboxLimits limits);

  private:
    struct Request;
    Task<> run();
    Task<> run_once();
    std::vector<std::shared_ptr<Request>> take_some();

    Session& session_;
    std::string node_;
    std::function<std::string()> nonce_;
    std::function<void()> told_;
    std::deque<std::shared_ptr<Request>> waiting_;
    bool running_ = false;
};

} // namespace alli::cluster
