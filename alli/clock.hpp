// SPDX-License-Identifier: Apache-2.0
// The time, to inject. Everything that plans (sync, pace, outbox, coverage) waits through sleep() and nothing else, so
// that a simulation can run years in a second. Only sockets keep timers of their own: a simulation replaces them whole.
#pragma once

#include "alli/instant.hpp"
#include "alli/task.hpp"

#include <chrono>

namespace alli {

class Clock {
  public:
    using Steady = std::chrono::steady_clock::time_point;

    virtual ~Clock() = default;
    virtual Instant now() const = 0;   // wall clock: may jump; for what is shown and stored
    virtual Steady steady() const = 0; // never jumps; for every wait and deadline inside the process
    /// Waits on the awaiting loop. Asio cancellation of the coroutine ends it with operation_aborted.
    virtual Task<> sleep(std::chrono::nanoseconds pause) = 0;
};

class SystemClock final : public Clock {
  public:
    Instant now() const override;
    Steady steady() const override;
    Task<> sleep(std::chrono::nanoseconds pause) override;
};

} // namespace alli
