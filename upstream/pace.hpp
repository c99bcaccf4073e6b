// SPDX-License-Identifier: Apache-2.0
// When may the next request go: a token bucket and a limit of requests under way, shared by everything that goes
// upstream. Waiters are served by priority, then in the order they came. Runs on the engine's loop; waits only through
// the Clock.
#pragma once

#include "alli/clock.hpp"
#include "upstream/http.hpp"

#include <memory>
#include <utility>

namespace alli::upstream {

class Pace {
    struct State;
    struct Waiter;

  public:
    struct Options {
        double requests_per_second = 10; // 0: no limit
        int max_in_flight = 4;
    };

    /// The clock must outlive it. What waits when it goes gets Error{canceled}.
    Pace(Clock& clock, Options options);
    ~Pace();
    Pace(const Pace&) = delete;
    Pace& operator=(const Pace&) = delete;

    /// Held while a request is under way; gives its place back when it goes. May outlive the Pace.
    class Slot {
      public:
        explicit Slot(std::shared_ptr<State> state) : state_(std::move(state)) {}
        Slot(Slot&&) noexcept = default;
        Slot& operator=(Slot&&) = delete;
        ~Slot();

      private:
        std::shared_ptr<State> state_;
    };

    /// Waits for a place. Ends with operation_aborted when its coroutine is cancelled.
    Task<Slot> acquire(Priority priority);

  private:
    static Task<Slot> acquire_from(std::shared_ptr<State> state, Priority priority);
    static Task<> wait_for_tokens(std::shared_ptr<State> state, std::shared_ptr<void> sleeper);

    std::shared_ptr<State> state_;
};

} // namespace alli::upstream
