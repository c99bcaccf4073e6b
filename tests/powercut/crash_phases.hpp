// SPDX-License-Identifier: Apache-2.0
// What the real program is killed in: each phase prepares its files, runs the program over them, and says what must
// hold when the program has run over the remains again, undisturbed.
#pragma once

#include "tests/powercut/crash_run.hpp"

#include <memory>
#include <span>

namespace alli::powercut {

/// One history of a phase: its files, and whatever stands upstream.
class Crash {
  public:
    virtual ~Crash() = default;

    /// Runs the phase, killed at the point or, without one, written down. The exit code; 128 + SIGKILL: killed.
    virtual int run(const std::optional<CrashPoint>& point) = 0;
    /// Runs it to its end after that, undisturbed. A sentence for what does not hold then.
    virtual std::optional<std::string> refute() = 0;
    virtual std::vector<std::string> calls() const = 0; // of a run without a point
};

struct CrashPhase {
    const char* name;
    std::unique_ptr<Crash> (*make)();
};
std::span<const CrashPhase> crash_phases();

/// The phases of writes on their way upstream.
std::unique_ptr<Crash> make_delivery();
std::unique_ptr<Crash> make_drain();

} // namespace alli::powercut
