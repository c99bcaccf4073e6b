// SPDX-License-Identifier: Apache-2.0
#include "upstream/rate_limiter.hpp"

#include "alli/error.hpp"
#include "upstream/rate_limiter_core.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace alli::upstream {

RateLimiter::RateLimiter(Clock& clock, Random& random, Options options)
    : core_(std::make_shared<Core>(clock, random, std::move(options)))
{}

RateLimiter::RateLimiter(Clock& clock, Options options) : core_(std::make_shared<Core>(clock, std::move(options))) {}

RateLimiter::~RateLimiter()
{
    core_->close();
}

void RateLimiter::wake()
{
    core_->wake();
}

void RateLimiter::hasten()
{
    core_->hasten();
}

RateLimiter::State RateLimiter::state() const
{
    return core_->state();
}

RateLimiter::Permit::Permit(std::shared_ptr<Core> core, bool probe)
    : core_(std::move(core)), started_(core_->now()), probe_(probe)
{}

RateLimiter::Permit::~Permit()
{
    if (!core_) return;
    if (probe_) core_->lose_probe();
    core_->release();
}

void RateLimiter::Permit::settle(const Outcome& outcome)
{
    core_->learn(outcome, started_, probe_);
    probe_ = false;
}

Task<RateLimiter::Permit> RateLimiter::acquire(Priority priority)
{
    return acquire_from(core_, priority);
}

Task<RateLimiter::Permit> RateLimiter::acquire_from(std::shared_ptr<Core> core, Priority priority)
{
    Waiter waiter(core, co_await asio::this_coro::executor, priority);
    core->admit(waiter);
    boost::system::error_code woken;
    if (!waiter.granted && !waiter.refusal)
        co_await waiter.woken.async_receive(asio::redirect_error(asio::use_awaitable, woken));
    if (core->closed()) throw Error(Fault::canceled, "", "a request upstream was given up because the program ends");
    if (waiter.refusal) throw Error(*waiter.refusal);
    if (!waiter.granted) throw boost::system::system_error(asio::error::operation_aborted);
    waiter.granted = false; // the permit gives it back, and answers for the probe
    co_return Permit(std::move(core), std::exchange(waiter.probe, false));
}

} // namespace alli::upstream
