// SPDX-License-Identifier: Apache-2.0
// Something to wait for beside the clock. Wakes one of those who wait; who finds more to do than he can take rings on.
// Belongs to its loop, and must not outlive it.
#pragma once

#include "alli/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace alli::sync {

class Bell {
  public:
    explicit Bell(asio::any_io_executor loop) : rung_(std::move(loop), 1) {}

    void ring() { rung_.try_send(boost::system::error_code()); }

    /// Takes back a ring that nobody waited for.
    void hush()
    {
        rung_.try_receive([](const boost::system::error_code&) {});
    }

    /// Until it rings (true), or the pause is over.
    Task<bool> wait(Clock& clock, std::chrono::nanoseconds pause)
    {
        using namespace asio::experimental::awaitable_operators;
        const auto first = co_await (clock.sleep(pause) || rung_.async_receive(asio::use_awaitable));
        co_return first.index() == 1;
    }

  private:
    asio::experimental::channel<void(boost::system::error_code)> rung_;
};

} // namespace alli::sync
