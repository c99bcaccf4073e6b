// SPDX-License-Identifier: Apache-2.0
// Hears from the kernel (netlink) when addresses, routes or links change: the network may be back, or gone, and
// upstream is worth a try. Where that cannot be heard (a container, a filter of system calls) the program goes on
// without it. On the engine's loop.
#pragma once

#include "alli/task.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>

namespace alli::daemon {

class RouteWatch {
  public:
    /// `changed` is told, a moment after a burst of changes began, whether an address or a route went.
    RouteWatch(asio::any_io_executor loop, std::function<void(bool lost)> changed);

    /// Opens its socket, or `descriptor` in the place of it; says so once, in the log, where there is none.
    void start();
    void start(int descriptor);
    /// On the loop.
    void stop();

    /// -1, and errno: it cannot be had.
    static int open_socket();

  private:
    Task<> listen();
    bool take_messages(bool& lost);

    asio::posix::stream_descriptor socket_;
    asio::steady_timer settle_;
    std::function<void(bool)> changed_;
};

} // namespace alli::daemon
