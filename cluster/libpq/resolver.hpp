// SPDX-License-Identifier: Apache-2.0
// The addresses of a host's name. getaddrinfo blocks, for as long as a name server does not answer: it runs on a thread
// that belongs to one connection, so that no other waits behind it. Used on the cluster's loop.
#pragma once

#include "alli/task.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace alli::cluster {

/// Blocks. Throws Error{unreachable}.
using LookUp = std::function<std::vector<std::string>(const std::string& host)>;
std::vector<std::string> look_up_addresses(const std::string& host);

class Resolver {
  public:
    explicit Resolver(LookUp look_up);
    /// Waits for a look-up that is under way.
    ~Resolver();

    /// The host's addresses, at least one; none are asked for where it is an address, or a socket of this machine.
    /// Throws Error{unreachable}, also where it takes longer than that; the look-up is under way all the same then, as
    /// it is for who is canceled, and the next one waits for it.
    Task<std::vector<std::string>> find(std::string host, std::chrono::milliseconds patience);

    /// Who waits gets operation_aborted.
    void cancel();

  private:
    struct Waiting;

    LookUp look_up_;
    std::optional<asio::thread_pool> thread_; // made by the first name
    std::weak_ptr<Waiting> waiting_;
};

} // namespace alli::cluster
