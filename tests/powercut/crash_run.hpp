// SPDX-License-Identifier: Apache-2.0
// The real program in a directory of files, killed at its n-th call of an operation on a file (crash_preload.cpp) or
// left alone: processes, files and openings are all real.
#pragma once

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace alli::powercut {

struct CrashPoint {
    std::string name; // "sync mirror.db-wal"
    int number = 1;   // the first is 1
    bool after = false;
};

class CrashRun {
  public:
    /// With a copy of the files of `prepared`; an empty name: with none.
    CrashRun(const std::string& prepared, const std::string& url);

    const std::string& directory() const noexcept { return files_; }
    std::string beside(const std::string& name) const { return home_ / name; } // outside of what is counted

    /// The environment of a process that is killed there; without a point it writes each call into calls_path().
    support::Process::Environment environment(const std::optional<CrashPoint>& point) const;
    /// From here on calls count, where the environment was made by waiting_environment().
    support::Process::Environment waiting_environment(const std::optional<CrashPoint>& point) const;
    void arm() const;
    /// What was written of a process without a point: each name as often as it came.
    std::vector<std::string> calls() const;

    /// A command to its end. 128 + SIGKILL: it was killed.
    support::Finished run(std::vector<std::string> arguments, const support::Process::Environment& environment) const;
    support::Process::Environment plain_environment() const { return plain_; }

  private:
    support::TempDir home_;
    std::string files_;
    support::Process::Environment plain_;
};

/// Not yet waited for.
bool has_ended(const support::Process& process);
std::vector<std::string> program(std::vector<std::string> arguments);

} // namespace alli::powercut
