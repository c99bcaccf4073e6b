// SPDX-License-Identifier: Apache-2.0
#include "upstream/pace.hpp"

#include "alli/error.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace alli::upstream {

struct Pace::State : std::enable_shared_from_this<State> {
    using Place = std::pair<Priority, std::uint64_t>; // the order of service

    State(Clock& time, Options limits) : clock(time), options(limits), tokens(burst()), refilled(time.steady()) {}

    bool limited() const { return options.requests_per_second > 0; }
    double burst() const { return std::max(1.0, options.requests_per_second); }
    bool has_room() const { return in_flight < std::max(1, options.max_in_flight); }

    bool lacks_token() const { return !closed && !waiting.empty() && has_room(); }

    void refill();
    std::chrono::nanoseconds until_token() const;
    bool take();
    void release();
    void serve();
    void sleep_on(asio::any_io_executor loop);

    Clock& clock; // not touched once closed
    Options options;
    double tokens;
    Clock::Steady refilled;
    int in_flight = 0;
    std::uint64_t arrivals = 0;
    std::map<Place, Waiter*> waiting;
    asio::cancellation_signal wake; // ends the sleeper
    bool asleep = false;            // the one sleeper is under way
    bool closed = false;
};

// One coroutine in the queue. It leaves the queue, or gives back the place it was granted and did not claim, however it
// ends.
struct Pace::Waiter {
    Waiter(std::shared_ptr<State> owner, asio::any_io_executor executor, Priority priority)
        : state(std::move(owner)), loop(executor), place(priority, state->arrivals++), woken(executor, 1)
    {
        state->waiting.emplace(place, this);
    }
    ~Waiter()
    {
        state->waiting.erase(place);
        if (granted) state->release();
    }

    std::shared_ptr<State> state;
    asio::any_io_executor loop;
    State::Place place;
    asio::experimental::channel<void(boost::system::error_code)> woken;
    bool granted = false;
};

void Pace::State::refill()
{
    const auto now = clock.steady();
    const std::chrono::duration<double> passed = now - refilled;
    refilled = now;
    tokens = std::min(burst(), tokens + passed.count() * options.requests_per_second);
}

// A nanosecond more, so that rounding does not wake the sleeper for a token that is not quite there.
std::chrono::nanoseconds Pace::State::until_token() const
{
    const double seconds = std::max(0.0, 1.0 - tokens) / options.requests_per_second;
    constexpr double longest = 3600; // then it looks again
    return std::chrono::nanoseconds(static_cast<std::int64_t>(std::ceil(std::min(seconds, longest) * 1e9)) + 1);
}

bool Pace::State::take()
{
    if (closed || !has_room()) return false;
    if (limited()) {
        refill();
        if (tokens < 1) return false;
        tokens -= 1;
    }
    ++in_flight;
    return true;
}

void Pace::State::release()
{
    --in_flight;
    serve();
}

void Pace::State::serve()
{
    while (!waiting.empty() && take()) {
        Waiter& first = *waiting.begin()->second;
        waiting.erase(waiting.begin());
        first.granted = true;
        first.woken.try_send(boost::system::error_code());
    }
    // With room left, what is missing is a token, and only time brings one.
    if (lacks_token()) sleep_on(waiting.begin()->second->loop);
}

void Pace::State::sleep_on(asio::any_io_executor loop)
{
    if (std::exchange(asleep, true)) return;
    // Also when the loop ends and takes the coroutine with it, begun or not: then there is nobody to cancel any more.
    std::shared_ptr<void> sleeper(nullptr, [self = shared_from_this()](void*) { self->asleep = false; });
    auto until_over = asio::bind_cancellation_slot(wake.slot(), asio::detached);
    asio::co_spawn(std::move(loop), wait_for_tokens(shared_from_this(), std::move(sleeper)), std::move(until_over));
}

Task<> Pace::wait_for_tokens(std::shared_ptr<State> state, std::shared_ptr<void> sleeper)
{
    while (state->lacks_token()) {
        co_await state->clock.sleep(state->until_token());
        state->serve();
    }
    sleeper.reset();
}

Pace::Pace(Clock& clock, Options options) : state_(std::make_shared<State>(clock, options)) {}

Pace::~Pace()
{
    state_->closed = true;
    for (const auto& [place, waiter] : state_->waiting) waiter->woken.close();
    if (state_->asleep) state_->wake.emit(asio::cancellation_type::terminal);
}

Pace::Slot::~Slot()
{
    if (state_) state_->release();
}

Task<Pace::Slot> Pace::acquire(Priority priority)
{
    return acquire_from(state_, priority);
}

Task<Pace::Slot> Pace::acquire_from(std::shared_ptr<State> state, Priority priority)
{
    Waiter waiter(state, co_await asio::this_coro::executor, priority);
    state->serve();
    boost::system::error_code woken;
    if (!waiter.granted) co_await waiter.woken.async_receive(asio::redirect_error(asio::use_awaitable, woken));
    if (state->closed) throw Error(Fault::canceled, "", "a request upstream was given up because the program ends");
    if (!waiter.granted) throw boost::system::system_error(asio::error::operation_aborted);
    waiter.granted = false; // the slot gives it back
    co_return Slot(std::move(state));
}

} // namespace alli::upstream
