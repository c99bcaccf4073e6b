// SPDX-License-Identifier: Apache-2.0
#include "upstream/rate_limiter_core.hpp"

#include "alli/back_off.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <algorithm>

namespace alli::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct Share {
    double spared;        // of the bucket: left to those who go before
    bool spares_a_permit; // of those under way
    seconds patience;     // with a pause that upstream asked for
};

// A lower priority spares no less, so that nobody behind the first in the queue could go when that one cannot.
constexpr std::array<Share, priorities> shares{{
    {0.0, false, seconds(1)},  // app: somebody looks at a screen
    {0.1, true, seconds(120)}, // delivery
    {0.2, true, seconds(120)}, // increment
    {0.4, true, seconds(120)}, // backfill
    {0.5, true, seconds(120)}, // reconcile
}};

constexpr BackOff cooling{milliseconds(250), seconds(15)};

const Share& share(Priority priority)
{
    return shares[static_cast<std::size_t>(priority)];
}

Breaker::Asker asker(Priority priority)
{
    if (priority == Priority::app) return Breaker::Asker::app;
    return priority == Priority::delivery ? Breaker::Asker::delivery : Breaker::Asker::sync;
}

// An upstream that cannot answer for one conversation or its chats is not down: that would show in lists.
bool is_of_one(const Outcome& outcome)
{
    const bool one = outcome.call == CallKind::single || outcome.call == CallKind::chats;
    return one && outcome.kind == Outcome::Kind::failed;
}

milliseconds left(Clock::Steady until, Clock::Steady now)
{
    return until <= now ? milliseconds(0) : std::chrono::ceil<milliseconds>(until - now);
}

} // namespace

RateLimiter::Core::Core(Clock& clock, Random& random, Options options)
    : clock_(clock), random_(random), options_(std::move(options)),
      bucket_(options_.requests_per_second, clock.steady()), concurrency_(options_.max_in_flight),
      breaker_(random_, options_.breaker)
{
    publish();
}

RateLimiter::Core::Core(Clock& clock, Options options) : Core(clock, fixed_, std::move(options)) {}

void RateLimiter::Core::close()
{
    closed_ = true;
    for (const auto& [key, waiter] : waiting_) waiter->woken.close();
    for (const auto& timer : timers_)
        if (timer->running) timer->wake.emit(asio::cancellation_type::terminal);
}

// Local apps may use what is adapted away from the others: they are few, and somebody waits for each of them.
int RateLimiter::Core::permits(Priority priority) const
{
    const int most = std::max(1, options_.max_in_flight);
    if (!share(priority).spares_a_permit) return most;
    return std::max(1, std::min(concurrency_.limit(), most - 1));
}

double RateLimiter::Core::level(Priority priority) const
{
    return 1 + std::min(share(priority).spared * bucket_.burst(), bucket_.burst() - 1);
}

Clock::Steady RateLimiter::Core::held_until(Priority priority) const
{
    return priority == Priority::app ? paused_until_ : std::max(paused_until_, cooling_until_);
}

// When it is time alone that this one waits for: until then. None: it waits for a permit.
std::optional<Clock::Steady> RateLimiter::Core::due(const Waiter& waiter) const
{
    if (!has_room(waiter.priority())) return std::nullopt;
    const auto token = bucket_.limited() ? bucket_.full_to(level(waiter.priority())) : Clock::Steady::min();
    return std::max(held_until(waiter.priority()), token);
}

bool RateLimiter::Core::grant(Waiter& waiter)
{
    const auto at = now();
    const Priority priority = waiter.priority();
    if (!has_room(priority) || at < held_until(priority) || !bucket_.take(level(priority), at)) return false;
    ++in_flight_;
    gauges_.sent[static_cast<std::size_t>(priority)].add(1);
    waiter.granted = true;
    waiting_.erase(waiter.key);
    waiter.woken.try_send(boost::system::error_code());
    return true;
}

void RateLimiter::Core::refuse(Waiter& waiter, Error why)
{
    waiter.refusal.emplace(std::move(why));
    waiting_.erase(waiter.key);
    waiter.woken.try_send(boost::system::error_code());
}

// A pause is waited for when it is short for whoever waits.
std::optional<Error> RateLimiter::Core::objection(Priority priority) const
{
    const auto at = now();
    if (paused_until_ <= at || paused_until_ - at <= share(priority).patience) return std::nullopt;
    return Error(
        Fault::unavailable, "it goes on by itself; where that happens often, lower upstream.requests_per_second",
        "upstream asked to be left alone for another {} s", std::chrono::ceil<seconds>(paused_until_ - at).count());
}

void RateLimiter::Core::admit(Waiter& waiter)
{
    if (closed_) return;
    if (auto why = objection(waiter.priority())) return refuse(waiter, std::move(*why));
    const auto pass = breaker_.ask(now(), asker(waiter.priority()));
    if (pass == Breaker::Pass::refused) return refuse(waiter, breaker_.refusal(now()));
    waiter.probe = pass == Breaker::Pass::probe;
    waiting_.emplace(waiter.key, &waiter);
    serve();
}

void RateLimiter::Core::leave(Waiter& waiter)
{
    waiting_.erase(waiter.key);
    if (std::exchange(waiter.probe, false)) lose_probe();
    if (waiter.granted)
        release();
    else
        serve(); // who comes next may want less than this one did
}

void RateLimiter::Core::release()
{
    --in_flight_;
    serve();
}

// Those who should not wait for what has changed are told so now. The probe waits for its permit.
void RateLimiter::Core::turn_away()
{
    const bool tripped = breaker_.state() != Breaker::State::closed;
    for (auto at = waiting_.begin(); at != waiting_.end();) {
        Waiter& waiter = *(at++)->second;
        if (waiter.probe) continue;
        if (auto why = objection(waiter.priority()); why || tripped)
            refuse(waiter, tripped ? breaker_.refusal(now()) : std::move(*why));
    }
}

void RateLimiter::Core::serve()
{
    if (closed_) return;
    while (!waiting_.empty() && grant(*waiting_.begin()->second)) {
    }
    if (!waiting_.empty()) {
        const Waiter& first = *waiting_.begin()->second;
        if (const auto when = due(first)) sleep_until(*when, first.loop);
    }
    publish();
}

void RateLimiter::Core::tell_breaker(const Outcome& outcome, bool probe)
{
    using Kind = Outcome::Kind;
    const bool tells_of_itself = outcome.kind == Kind::unreadable || is_of_one(outcome);
    if (tells_of_itself && !probe) return;
    if (outcome.kind == Kind::unreachable)
        breaker_.failed(now(), Fault::unreachable, outcome.words, probe);
    else if (outcome.kind == Kind::overloaded || outcome.kind == Kind::failed)
        breaker_.failed(now(), Fault::unavailable, outcome.words, probe);
    else
        breaker_.answered();
}

void RateLimiter::Core::learn(const Outcome& outcome, Clock::Steady started, bool probe)
{
    if (closed_) return;
    using Kind = Outcome::Kind;
    const Kind kind = outcome.kind;
    tell_breaker(outcome, probe);
    if (kind == Kind::answered) {
        concurrency_.answered(in_flight_ >= permits(Priority::backfill));
        pushed_back_ = std::max(0, pushed_back_ - 1);
    }
    hold_back(outcome, started);
    turn_away();
    serve();
}

// What upstream asked for, or, where it only pushed back, a pause of our own that grows: full jitter.
void RateLimiter::Core::hold_back(const Outcome& outcome, Clock::Steady started)
{
    const auto at = now();
    if (outcome.retry_after) paused_until_ = std::max(paused_until_, at + *outcome.retry_after);
    if (outcome.kind != Outcome::Kind::throttled && outcome.kind != Outcome::Kind::overloaded) return;
    gauges_.pushed_back.add(1);
    if (!concurrency_.pushed_back(started, at) || outcome.retry_after) return;
    const auto pause = random_.below(static_cast<std::uint64_t>(cooling.after(pushed_back_++).count()));
    cooling_until_ = std::max(cooling_until_, at + std::chrono::nanoseconds(pause));
}

void RateLimiter::Core::lose_probe()
{
    if (closed_) return;
    breaker_.probe_lost(now());
    publish();
}

void RateLimiter::Core::wake()
{
    breaker_.wake(now());
    publish();
}

void RateLimiter::Core::hasten()
{
    breaker_.hasten(now());
    publish();
}

void RateLimiter::Core::sleep_until(Clock::Steady due, asio::any_io_executor loop)
{
    const auto awake = [](const auto& timer) { return !timer->running; };
    const auto in_time = [due](const auto& timer) { return timer->running && timer->due <= due; };
    if (std::any_of(timers_.begin(), timers_.end(), in_time)) return;
    auto free = std::find_if(timers_.begin(), timers_.end(), awake);
    if (free == timers_.end()) free = timers_.insert(timers_.end(), std::make_unique<Timer>());
    Timer& own = **free;
    own.running = true;
    own.due = due;
    // Also when the loop ends and takes the coroutine with it, begun or not: then there is nobody to cancel any more.
    std::shared_ptr<void> guard(nullptr, [self = shared_from_this(), &own](void*) { own.running = false; });
    auto until_over = asio::bind_cancellation_slot(own.wake.slot(), asio::detached);
    asio::co_spawn(std::move(loop), serve_later(shared_from_this(), &own, std::move(guard)), std::move(until_over));
}

Task<> RateLimiter::Core::serve_later(std::shared_ptr<Core> core, Timer* own,
                                      [[maybe_unused]] std::shared_ptr<void> guard)
{
    if (core->closed_) co_return;
    co_await core->clock_.sleep(own->due - core->now());
    own->due = Clock::Steady::max(); // it will wake nobody any more, but its signal is in use until it is gone
    core->serve();
}

void RateLimiter::Core::publish()
{
    gauges_.tokens = bucket_.tokens();
    gauges_.filled_at = bucket_.filled_at().time_since_epoch().count();
    gauges_.limit = concurrency_.limit();
    gauges_.in_flight = in_flight_;
    gauges_.breaker = breaker_.state();
    gauges_.probe_due = breaker_.due().time_since_epoch().count();
    gauges_.paused_until = paused_until_.time_since_epoch().count();
    gauges_.times_opened = breaker_.times_opened();
    std::array<int, priorities> counts{};
    for (const auto& [key, waiter] : waiting_) ++counts[static_cast<std::size_t>(key.first)];
    for (std::size_t i = 0; i < priorities; ++i) gauges_.waiting[i] = counts[i];
}

RateLimiter::State RateLimiter::Core::state() const
{
    const auto at = clock_.steady();
    const auto time = [](const Gauge<Clock::Steady::rep>& gauge) {
        return Clock::Steady(Clock::Steady::duration(gauge.get()));
    };
    State state;
    const double grown = std::chrono::duration<double>(at - time(gauges_.filled_at)).count() * bucket_.rate();
    state.requests_per_second = bucket_.rate();
    state.tokens = bucket_.limited() ? std::min(bucket_.burst(), gauges_.tokens.get() + grown) : 0;
    state.limit = gauges_.limit.get();
    state.most = std::max(1, options_.max_in_flight);
    state.in_flight = gauges_.in_flight.get();
    for (std::size_t i = 0; i < priorities; ++i) {
        state.waiting[i] = gauges_.waiting[i].get();
        state.sent[i] = gauges_.sent[i].get();
    }
    state.breaker = gauges_.breaker.get();
    if (state.breaker == Breaker::State::open) state.probe_in = left(time(gauges_.probe_due), at);
    state.retry_after = left(time(gauges_.paused_until), at);
    state.pushed_back = gauges_.pushed_back.get();
    state.times_opened = gauges_.times_opened.get();
    return state;
}

} // namespace alli::upstream
