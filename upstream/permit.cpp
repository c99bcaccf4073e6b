// SPDX-License-Identifier: Apache-2.0
#include "upstream/pace.hpp"

#include "alli/error.hpp"
#include "upstream/pace_core.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace alli::upstream {

Pace::Pace(Clock& clock, Random& random, Options options)
    : core_(std::make_shared<Core>(clock, random, std::move(options)))
{}

Pace::Pace(Clock& clock, Options options) : core_(std::make_shared<Core>(clock, std::move(options))) {}

Pace::~Pace()
{
    core_->close();
}

void Pace::wake()
{
    core_->wake();
}

void Pace::hasten()
{
    core_->hasten();
}

Pace::State Pace::state() const
{
    return core_->state();
}

Pace::Permit::Permit(std::shared_ptr<Core> core, bool probe)
    : core_(std::move(core)), started_(core_->now()), probe_(probe)
{}

Pace::Permit::~Permit()
{
    if (!core_) return;
    if (probe_) core_->lose_probe();
    core_->release();
}

void Pace::Permit::settle(const Outcome& outcome)
{
    core_->learn(outcome, started_, probe_);
    probe_ = false;
}

Task<Pace::Permit> Pace::acquire(Priority priority)
{
    return acquire_from(core_, priority);
}

Task<Pace::Permit> Pace::acquire_from(std::shared_ptr<Core> core, Priority priority)
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
