// SPDX-License-Identifier: Apache-2.0
// Listens for changes of addresses, routes and links (netlink), after which upstream may be reachable again or not any
// more. If the socket is unavailable (container, system call filter), the program runs without it. Runs on the engine's
// loop.
#pragma once

#include "alli/task.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>

namespace alli::daemon {

class RouteWatch {
  public:
    /// `changed` is called shortly after the first change of a burst; its argument says whether an address or a route
    /// was removed.
    RouteWatch(asio::any_io_executor loop, std::function<void(bool lost)> changed);

    /// Opens the socket, or uses `descriptor`. Logs once if it is unavailable.
    void start();
    void start(int descriptor);
    /// On the loop.
    void stop();

    /// Returns -1 and sets errno if it is unavailable.
    static int open_socket();

  private:
    Task<> listen();
    bool take_messages(bool& lost);

    asio::posix::stream_descriptor socket_;
    asio::steady_timer settle_;
    std::function<void(bool)> changed_;
};

} // namespace alli::daemon
