// SPDX-License-Identifier: Apache-2.0
#include "alli/clock.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace alli {

Instant SystemClock::now() const
{
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
}

Clock::Steady SystemClock::steady() const
{
    return std::chrono::steady_clock::now();
}

Task<> SystemClock::sleep(std::chrono::nanoseconds pause)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, pause);
    co_await timer.async_wait(asio::use_awaitable);
}

} // namespace alli
