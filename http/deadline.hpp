// SPDX-License-Identifier: Apache-2.0
// How long one direction of a connection may still take. Polled by the tick of the connection's loop, which costs less
// than a timer for each wait.
#pragma once

#include <chrono>
#include <optional>

namespace alli::http {

class Deadline {
  public:
    using Steady = std::chrono::steady_clock::time_point;

    void allow(std::chrono::milliseconds time)
    {
        missed_ = false;
        at_ = std::chrono::steady_clock::now() + time;
    }
    void lift() noexcept { at_.reset(); }

    /// True once, when it has passed.
    bool is_over(Steady now) noexcept
    {
        if (!at_ || now < *at_) return false;
        at_.reset();
        return missed_ = true;
    }
    bool missed() const noexcept { return missed_; }

  private:
    std::optional<Steady> at_;
    bool missed_ = false;
};

} // namespace alli::http
