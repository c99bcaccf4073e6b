// SPDX-License-Identifier: Apache-2.0
#include "tests/support/fake_clock.hpp"

#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace support {

namespace asio = boost::asio;

struct FakeClock::Sleeper {
    Sleeper(FakeClock& owner, asio::any_io_executor loop, Steady due)
        : clock(owner), woken(std::move(loop), 1), place(owner.sleepers_.emplace(due, this))
    {}
    ~Sleeper()
    {
        if (!awake) clock.sleepers_.erase(place);
    }
    void wake()
    {
        clock.sleepers_.erase(place);
        awake = true;
        woken.try_send(boost::system::error_code());
    }

    FakeClock& clock;
    asio::experimental::channel<void(boost::system::error_code)> woken;
    std::multimap<Steady, Sleeper*>::iterator place;
    bool awake = false;
};

FakeClock::FakeClock(alli::Instant now) : now_(now) {}

alli::Task<> FakeClock::sleep(std::chrono::nanoseconds pause)
{
    const auto loop = co_await asio::this_coro::executor;
    if (pause.count() <= 0) {
        co_await asio::post(loop, asio::use_awaitable);
        co_return;
    }
    Sleeper self(*this, loop, steady_ + pause);
    co_await self.woken.async_receive(asio::use_awaitable);
}

void FakeClock::move_to(Steady when)
{
    rest_ += when - steady_;
    const auto whole = std::chrono::floor<std::chrono::microseconds>(rest_);
    now_ += whole;
    rest_ -= whole;
    steady_ = when;
}

void FakeClock::advance(std::chrono::nanoseconds by)
{
    const auto until = steady_ + by;
    move_to(until);
    while (!sleepers_.empty() && sleepers_.begin()->first <= until) sleepers_.begin()->second->wake();
}

bool FakeClock::jump_to_next()
{
    if (sleepers_.empty()) return false;
    advance(std::max(sleepers_.begin()->first - steady_, Steady::duration(0)));
    return true;
}

bool FakeClock::jump_to_next_within(std::chrono::nanoseconds most)
{
    return !sleepers_.empty() && sleepers_.begin()->first - steady_ <= most && jump_to_next();
}

void run_until_idle(asio::io_context& loop)
{
    loop.restart();
    while (loop.poll() > 0) {
    }
}

bool run_jumping(asio::io_context& loop, FakeClock& clock, const std::function<bool()>& done, std::size_t most)
{
    for (std::size_t jumps = 0; jumps <= most; ++jumps) {
        run_until_idle(loop);
        if (done()) return true;
        if (!clock.jump_to_next()) return false;
    }
    return false;
}

} // namespace support
