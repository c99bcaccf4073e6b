// SPDX-License-Identifier: Apache-2.0
// When may the next request go: a token bucket and a limit of requests under way, shared by everything that goes upstream.
// Waiters are served by priority, then in the order they came. Runs on the engine's loop; waits only through the Clock.
#pragma once

#include "alli/clock.hpp"
#include "upstream/http.hpp"

#include <functional>

namespace alli::upstream {

class Pace {
public:
    struct Options {
        double requests_per_second = 10; // 0: no limit
        int max_in_flight = 4;
    };

    Pace(Clock& clock, Options options);
    ~Pace();
    Pace(const Pace&) = delete;
    Pace& operator=(const Pace&) = delete;

    /// Held while a request is under way; gives its place back when it goes.
    class Slot {
    public:
        explicit Slot(Pace* pace) : pace_(pace) {}
        Slot(Slot&& other) noexcept : pace_(std::exchange(other.pace_, nullptr)) {}
        Slot& operator=(Slot&&) = delete;
        ~Slot() { if (pace_) pace_->release(); }

    private:
        Pace* pace_;
    };

    /// Waits for a place. Ends with operation_aborted when its coroutine is cancelled.
    Task<Slot> acquire(Priority priority);

private:
    struct State;
    void release();

    std::unique_ptr<State> state_;
};

} // namespace alli::upstream
