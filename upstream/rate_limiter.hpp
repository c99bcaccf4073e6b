// SPDX-License-Identifier: Apache-2.0
// When may the next request go: one budget for everything that goes upstream. A token bucket, a limit of requests under
// way that adapts, the pauses upstream asks for, and a breaker. Waiters are served by priority, then in the order they
// came. Runs on the engine's loop; waits only through the Clock. The rules: docs/decisions/0008-one-budget.md
#pragma once

#include "alli/clock.hpp"
#include "alli/random.hpp"
#include "upstream/breaker.hpp"
#include "upstream/http.hpp"
#include "upstream/outcome.hpp"

#include <array>
#include <memory>
#include <utility>

namespace alli::upstream {

inline constexpr std::size_t priorities = static_cast<std::size_t>(Priority::reconcile) + 1;

class RateLimiter {
    struct Core;
    struct Waiter;

  public:
    struct Options {
        double requests_per_second = 10; // 0: no limit
        int max_in_flight = 4; // a permit and some tokens are kept for local apps where there is more than one
        Breaker::Options breaker = {};
    };

    /// What status and metrics show.
    struct State {
        double tokens = 0, requests_per_second = 0; // a rate of 0: no limit
        int limit = 0, most = 0, in_flight = 0;     // requests under way: allowed now, at most, and now
        std::array<int, priorities> waiting{};
        std::array<std::uint64_t, priorities> sent{}; // since the start
        Breaker::State breaker = Breaker::State::closed;
        std::chrono::milliseconds probe_in{0};    // while the breaker is open
        std::chrono::milliseconds retry_after{0}; // what is left of a pause that upstream asked for
        std::uint64_t pushed_back = 0;            // answers of 429 and 503, since the start
        std::uint64_t times_opened = 0;           // the breaker, since the start
    };

    /// The clock and `random` must outlive it. What waits when it goes gets Error{canceled}.
    RateLimiter(Clock& clock, Random& random, Options options);
    /// With jitter from a fixed seed, for simulation and tests.
    RateLimiter(Clock& clock, Options options);
    ~RateLimiter();
    RateLimiter(const RateLimiter&) = delete;
    RateLimiter& operator=(const RateLimiter&) = delete;

    /// Held while a request is under way; gives its permit back when it goes. May outlive the RateLimiter.
    class Permit {
      public:
        Permit(std::shared_ptr<Core> core, bool probe);
        Permit(Permit&&) noexcept = default;
        Permit& operator=(Permit&&) = delete;
        ~Permit();

        /// How the request ended. Without it nothing is learnt from it: it was given up.
        void settle(const Outcome& outcome);

      private:
        std::shared_ptr<Core> core_;
        Clock::Steady started_;
        bool probe_;
    };

    /// Waits for a permit. Throws Error{unreachable} or Error{unavailable} at once while the breaker is open, and where
    /// upstream asked for a pause longer than this priority waits. Ends with operation_aborted when its coroutine is
    /// cancelled.
    Task<Permit> acquire(Priority priority);

    /// A person asked to try now: an open breaker lets the next request through as its probe.
    void wake();
    /// It may go better now: an open breaker lets its next probe through, a second after the last one at the soonest.
    void hasten();

    State state() const; // any thread

  private:
    static Task<Permit> acquire_from(std::shared_ptr<Core> core, Priority priority);

    std::shared_ptr<Core> core_;
};

} // namespace alli::upstream
