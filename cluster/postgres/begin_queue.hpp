// SPDX-License-Identifier: Apache-2.0
// Gathers the writes that are to be begun while a transaction that begins others is on its way: the next one takes all
// of them. The right to send is worth little after a moment, so none of them waits for more than two commits. On the
// cluster's loop.
#pragma once

#include "cluster/postgres/outbox.hpp"

#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>
#include <memory>

namespace alli::cluster {

class BeginQueue {
  public:
    /// `session`, which nothing else uses, outlives it. `nonce` makes one.
    BeginQueue(Session& session, Member self, std::function<std::string()> nonce)
        : session_(session), self_(std::move(self)), nonce_(std::move(nonce))
    {}

    /// As SharedOutbox::begin.
    Task<std::optional<cache::SharedWrite>> begin(std::int64_t epoch, WantedBeginning wanted);

  private:
    struct Request;
    Task<> run();
    Task<> run_once();
    std::vector<std::shared_ptr<Request>> take_some();

    Session& session_;
    Member self_;
    std::function<std::string()> nonce_;
    std::deque<std::shared_ptr<Request>> waiting_;
    bool running_ = false;
};

} // namespace alli::cluster
