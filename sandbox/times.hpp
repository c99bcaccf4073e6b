// SPDX-License-Identifier: Apache-2.0
// How this sandbox writes, reads and rounds its times: the unit that the contract leaves open, in one place.
#pragma once

#include "alli/instant.hpp"
#include "sandbox/options.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace alli::sandbox {

class TimeScale {
  public:
    explicit TimeScale(TimeStyle style) : style_(style) {}

    TimeStyle style() const { return style_; }
    TimeUnit unit() const { return style_ == TimeStyle::seconds ? TimeUnit::seconds : TimeUnit::milliseconds; }

    /// The smallest difference that two times of this style can show.
    std::chrono::microseconds step() const
    {
        if (style_ == TimeStyle::seconds) return std::chrono::seconds{1};
        if (style_ == TimeStyle::milliseconds) return std::chrono::milliseconds{1};
        return std::chrono::microseconds{1};
    }

    /// Rounded down to what this style can show.
    Instant cut(Instant when) const { return when - when.time_since_epoch() % step(); }

    std::string text(Instant when) const { return write_instant(when, unit()); }
    std::optional<Instant> read(std::string_view number) const { return read_instant(number, unit()); }

  private:
    TimeStyle style_;
};

} // namespace alli::sandbox
