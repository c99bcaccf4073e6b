// SPDX-License-Identifier: Apache-2.0
// A program as a test runs it: arguments and environment in, lines, exit code and output out. Every wait has a
// deadline; a process that outlives its test is killed.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace support {

class Process {
  public:
    using Environment = std::map<std::string, std::string>;

    /// Starts `words[0]` with exactly this environment; stdin is empty. Throws std::runtime_error when it cannot.
    explicit Process(std::vector<std::string> words, const Environment& environment = {});
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    /// The first line on stdout or stderr, old ones too, that holds `part`. Throws std::runtime_error with all that was
    /// said when the deadline passes or the process ends without it.
    std::string wait_for_line(std::string_view part, std::chrono::milliseconds patience = std::chrono::seconds(30));

    void send(int signal) const;

    /// The exit code, or 128 + the signal that ended it. Throws std::runtime_error after the deadline.
    int wait(std::chrono::milliseconds patience = std::chrono::seconds(30));

    int pid() const noexcept { return pid_; }
    const std::string& output() const noexcept { return stdout_.text; } // as far as it was read by the waits above
    const std::string& errors() const noexcept { return stderr_.text; }

  private:
    using Deadline = std::chrono::steady_clock::time_point;

    struct Pipe {
        int descriptor = -1;
        std::string text;
        std::string find_line(std::string_view part, bool ended) const;
        void read_some();
        void close();
    };

    bool read_until(Deadline deadline); // false: nothing more came
    [[noreturn]] void fail(const std::string& what) const;

    std::string name_;
    int pid_ = -1;
    int watch_ = -1; // a pidfd: readable when the process has ended
    Pipe stdout_, stderr_;
    int code_ = -1;
};

/// Runs to the end.
struct Finished {
    int code = 0;
    std::string output, errors;
};
Finished run_process(std::vector<std::string> words, const Process::Environment& environment = {},
                     std::chrono::milliseconds patience = std::chrono::seconds(60));

} // namespace support
