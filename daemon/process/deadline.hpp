// SPDX-License-Identifier: Apache-2.0
// A time at which the kernel ends this process by SIGKILL, unless it is moved: also a process that is stopped, or on a
// machine that slept. One thread at a time.
#pragma once

#include "alli/clock.hpp"

#include <ctime>
#include <optional>

namespace alli::daemon {

class Deadline {
  public:
    /// Throws Error{io} where the system gives no timer. Not set yet.
    Deadline();
    ~Deadline(); // not any more
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

    /// None: not any more. One that has passed ends the process at once.
    void set(std::optional<Clock::Steady> when);

  private:
    timer_t timer_{};
};

} // namespace alli::daemon
