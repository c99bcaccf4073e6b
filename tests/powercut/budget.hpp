// SPDX-License-Identifier: Apache-2.0
// How much of it is done in one run: seconds, of all workloads together, or a number; both by the environment.
#pragma once

#include "tests/powercut/workloads.hpp"
#include "tests/support/draws.hpp"

#include <chrono>
#include <cstdlib>

namespace alli::powercut {

class Budget {
  public:
    /// `seconds`, `count`: names of variables. Where a count is given, it rules.
    Budget(const char* seconds, double otherwise, const char* count)
    {
        const auto parts = static_cast<double>(workloads().size());
        const char *time = std::getenv(seconds), *number = std::getenv(count);
        if (number) least_ = static_cast<std::int64_t>(std::strtod(number, nullptr) / parts + 1);
        end_ += std::chrono::milliseconds(
            static_cast<std::int64_t>((time ? std::strtod(time, nullptr) : otherwise) * 1000 / parts));
    }

    bool is_spent(std::int64_t done) const
    {
        return least_ > 0 ? done >= least_ : std::chrono::steady_clock::now() >= end_;
    }
    bool counts() const noexcept { return least_ > 0; }

  private:
    std::int64_t least_ = 0;
    std::chrono::steady_clock::time_point end_ = std::chrono::steady_clock::now();
};

/// The seed of a run, printed with what it did: ALLI_SEED sets it again.
struct Chance : support::Draws {
    using Draws::random_;
    using Draws::seed_;
};

/// Files in memory, where there is such a place: a cut is made of bytes that were recorded, not by the disk.
inline void use_memory()
{
    std::error_code absent;
    if (std::filesystem::is_directory("/dev/shm", absent) && ::access("/dev/shm", W_OK) == 0)
        ::setenv("TMPDIR", "/dev/shm", 0);
}

} // namespace alli::powercut
