// SPDX-License-Identifier: Apache-2.0
// An event to wait for beside the clock. Wakes one waiter; a waiter that leaves work undone must call notify() again.
// Belongs to its loop, and must not outlive it.
#pragma once

#include "alli/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/multiple_exceptions.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace alli::sync {

class Wakeup {
  public:
    explicit Wakeup(asio::any_io_executor loop) : waiting_(std::move(loop), 0) {}

    void notify() { pending_ = !waiting_.try_send(boost::system::error_code()) || pending_; }

    /// Takes back a notification that nobody waited for.
    void reset() { pending_ = false; }

    /// Returns true when notified, false when the pause is over.
    Task<bool> wait(Clock& clock, std::chrono::nanoseconds pause)
    {
        using namespace asio::experimental::awaitable_operators;
        if (std::exchange(pending_, false)) co_return true;
        try {
            const auto first = co_await (clock.sleep(pause) || waiting_.async_receive(asio::use_awaitable));
            co_return first.index() == 1;
        } catch (const asio::multiple_exceptions& both) { // cancelled: its words say nothing
            std::rethrow_exception(both.first_exception());
        }
    }

  private:
    // Without a buffer: Boost 1.81 takes one for full after a receive was cancelled, and what is sent then is lost.
    asio::experimental::channel<void(boost::system::error_code)> waiting_;
    bool pending_ = false; // nobody waited
};

} // namespace alli::sync
