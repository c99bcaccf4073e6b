// SPDX-License-Identifier: Apache-2.0
// Inside RateLimiter: the queue, and who of it may go. Shared by the RateLimiter, its permits and those who wait, of
// whom each may be the last to go. On the engine's loop; state() alone may be called from anywhere.
#pragma once

#include "upstream/bucket.hpp"
#include "upstream/concurrency.hpp"
#include "upstream/gauges.hpp"
#include "upstream/rate_limiter.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/experimental/channel.hpp>

#include <map>
#include <optional>
#include <vector>

namespace alli::upstream {

struct RateLimiter::Core : std::enable_shared_from_this<Core> {
  public:
    Core(Clock& clock, Random& random, Options options);
    Core(Clock& clock, Options options);

    void close(); // the clock is not touched any more
    bool closed() const { return closed_; }
    Clock::Steady now() const { return closed_ ? Clock::Steady{} : clock_.steady(); }

    void admit(Waiter& waiter); // grants, refuses, or leaves it waiting
    void leave(Waiter& waiter); // it stops waiting, however that came
    void release();
    void learn(const Outcome& outcome, Clock::Steady started, bool probe);
    void lose_probe();
    void wake();
    void hasten();
    State state() const;

  private:
    using QueueKey = std::pair<Priority, std::uint64_t>; // the order of service
    struct Timer {
        asio::cancellation_signal wake;
        bool running = false;
        Clock::Steady due{};
    };

    int permits(Priority priority) const;
    double level(Priority priority) const;
    bool has_room(Priority priority) const { return in_flight_ < permits(priority); }
    Clock::Steady held_until(Priority priority) const;
    std::optional<Clock::Steady> due(const Waiter& waiter) const;

    bool grant(Waiter& waiter);
    void refuse(Waiter& waiter, Error why);
    std::optional<Error> objection(Priority priority) const;
    void turn_away();
    void serve();
    void tell_breaker(const Outcome& outcome, bool probe);
    void hold_back(const Outcome& outcome, Clock::Steady started);
    void sleep_until(Clock::Steady due, asio::any_io_executor loop);
    static Task<> serve_later(std::shared_ptr<Core> core, Timer* own, std::shared_ptr<void> guard);
    void publish();

    Clock& clock_;
    SeededRandom fixed_{1};
    Random& random_;
    const Options options_;
    Bucket bucket_;
    Concurrency concurrency_;
    Breaker breaker_;
    Clock::Steady paused_until_ = Clock::Steady::min();  // upstream asked for it: nobody goes
    Clock::Steady cooling_until_ = Clock::Steady::min(); // it did not, but pushed back: local apps alone go
    int pushed_back_ = 0;                                // of late
    int in_flight_ = 0;
    std::uint64_t arrivals_ = 0;
    std::map<QueueKey, Waiter*> waiting_;
    std::vector<std::unique_ptr<Timer>> timers_; // used again and again; as many as were ever under way at once
    bool closed_ = false;
    Gauges gauges_;

    friend struct RateLimiter::Waiter;
};

/// One coroutine in the queue. It leaves the queue, or gives back the permit it was granted and did not claim, however
/// it ends.
struct RateLimiter::Waiter {
    Waiter(std::shared_ptr<Core> owner, asio::any_io_executor executor, Priority its_priority)
        : core(std::move(owner)), loop(executor), key(its_priority, core->arrivals_++), woken(executor, 1)
    {}
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    ~Waiter() { core->leave(*this); }

    Priority priority() const { return key.first; }

    std::shared_ptr<Core> core;
    asio::any_io_executor loop;
    Core::QueueKey key;
    asio::experimental::channel<void(boost::system::error_code)> woken;
    bool granted = false;
    bool probe = false;
    std::optional<Error> refusal;
};

} // namespace alli::upstream
