// SPDX-License-Identifier: Apache-2.0
// Something to wait for beside the clock. Belongs to the engine's loop, and may be rung from any thread.
#pragma once

#include "alli/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/post.hpp>

#include <memory>

namespace alli::sync {

class Alarm {
  public:
    explicit Alarm(asio::any_io_executor loop) : loop_(loop), rung_(loop, 1) {}

    template <class Action>
    void post(Action action) // any thread
    {
        asio::post(loop_, std::move(action));
    }

    static void ring(const std::shared_ptr<Alarm>& alarm) // any thread
    {
        alarm->post([alarm] { alarm->rung_.try_send(boost::system::error_code()); });
    }

    /// True when it rang before the time was up.
    Task<bool> wait(Clock& clock, std::chrono::nanoseconds pause)
    {
        using namespace asio::experimental::awaitable_operators;
        const auto first = co_await (clock.sleep(pause) || rung_.async_receive(asio::use_awaitable));
        co_return first.index() == 1;
    }

  private:
    asio::any_io_executor loop_;
    asio::experimental::channel<void(boost::system::error_code)> rung_;
};

} // namespace alli::sync
