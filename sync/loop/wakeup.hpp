// SPDX-License-Identifier: Apache-2.0
// An event to wait for beside the clock. Wakes one waiter; a waiter that leaves work undone must call notify() again.
// Belongs to its loop, and must not outlive it.
#pragma once

#include "alli/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace alli::sync {

class Wakeup {
  public:
    explicit Wakeup(asio::any_io_executor loop) : notified_(std::move(loop), 1) {}

    void notify() { notified_.try_send(boost::system::error_code()); }

    /// Takes back a notification that nobody waited for.
    void reset()
    {
        notified_.try_receive([](const boost::system::error_code&) {});
    }

    /// Returns true when notified, false when the pause is over.
    Task<bool> wait(Clock& clock, std::chrono::nanoseconds pause)
    {
        using namespace asio::experimental::awaitable_operators;
        const auto first = co_await (clock.sleep(pause) || notified_.async_receive(asio::use_awaitable));
        co_return first.index() == 1;
    }

  private:
    asio::experimental::channel<void(boost::system::error_code)> notified_;
};

} // namespace alli::sync
