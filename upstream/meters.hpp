// SPDX-License-Identifier: Apache-2.0
// What is counted of the calls upstream, for /metrics: by kind of call and how it ended. Written on the engine's loop,
// read on any thread.
#pragma once

#include "alli/metric.hpp"
#include "upstream/outcome.hpp"

#include <array>
#include <string_view>

namespace alli::upstream {

inline constexpr std::array<std::string_view, call_kinds> call_names{"list",  "chats", "single",
                                                                     "count", "write", "relay"};

class Meters {
  public:
    enum class Ending { success, refused, throttled, overloaded, failed, unreachable, unreadable };
    static constexpr std::array<std::string_view, 7> ending_names{"success", "refused",     "throttled", "overloaded",
                                                                  "failed",  "unreachable", "unreadable"};

    void count(const Outcome& outcome) noexcept
    {
        Call& call = calls_[static_cast<std::size_t>(outcome.call)];
        call.endings[static_cast<std::size_t>(ending_of(outcome))].add();
        call.time.observe(outcome.elapsed);
    }

    static std::string_view name_of(const Outcome& outcome) noexcept
    {
        return ending_names[static_cast<std::size_t>(ending_of(outcome))];
    }

    struct Call {
        std::array<Counter, ending_names.size()> endings;
        Histogram time;
    };
    const Call& call(std::size_t kind) const { return calls_[kind]; }

    static Ending ending_of(const Outcome& outcome) noexcept
    {
        if (outcome.kind == Outcome::Kind::answered) return outcome.success ? Ending::success : Ending::refused;
        return static_cast<Ending>(static_cast<int>(outcome.kind) + 1); // the rest has the same order
    }

  private:
    std::array<Call, call_kinds> calls_;
};

} // namespace alli::upstream
