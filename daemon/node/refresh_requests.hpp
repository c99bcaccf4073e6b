// SPDX-License-Identifier: Apache-2.0
// What apps asked this node for and it does not keep: the leader is asked to fetch and publish it. Each conversation
// rarely, all of them some at a time, so that apps cannot make upstream's load twice theirs.
#pragma once

#include "cluster/truth.hpp"
#include "sync/loop/wakeup.hpp"

#include <boost/asio/io_context.hpp>

#include <map>
#include <set>
#include <string>

namespace alli::daemon {

class RefreshRequests {
  public:
    RefreshRequests(asio::io_context& loop, cluster::Truth& truth, Clock& clock);

    /// Any thread. `*`: a list.
    void ask(std::string conversation);

    /// On the loop: sends what is asked for until it is cancelled; what cannot be sent is tried again.
    Task<> run();

    static constexpr std::chrono::seconds at_most_every{10}; // the same conversation
    static constexpr std::chrono::seconds lists_at_most_every{2};
    static constexpr std::size_t most = 1'000; // that wait; of more the rest is not asked for
    static constexpr std::size_t most_at_once = 100;
    static constexpr std::chrono::milliseconds pause{200}; // between two times

  private:
    void add(std::string conversation);
    void forget_old(Clock::Steady now);
    Task<bool> ask_for(std::vector<std::string> some);

    asio::io_context& loop_;
    cluster::Truth& truth_;
    Clock& clock_;
    sync::Wakeup added_;
    std::set<std::string> waiting_;
    std::map<std::string, Clock::Steady> asked_; // lately
};

} // namespace alli::daemon
