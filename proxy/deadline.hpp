// SPDX-License-Identifier: Apache-2.0
// How long one direction of a connection may still take. Looked at by the loop's tick.
#pragma once

#include <chrono>
#include <optional>

namespace alli::proxy {

class Deadline {
  public:
    using Steady = std::chrono::steady_clock::time_point;

    void allow(std::chrono::milliseconds time)
    {
        missed_ = false;
        at_ = std::chrono::steady_clock::now() + time;
    }
    void lift() noexcept { at_.reset(); }

    /// Whether it has just been missed: once.
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

} // namespace alli::proxy
