// SPDX-License-Identifier: Apache-2.0
// Output of a command: stdout, or a file of mode 0600 that appears atomically when it is complete. Terminal control
// sequences are removed on a terminal. One thread.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace alli::daemon {

class OutputFile {
  public:
    /// Empty: stdout. Throws Error{io} if the file cannot be created.
    explicit OutputFile(const std::string& path);
    ~OutputFile(); // without finish(): nothing is left of it
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    void write(std::string_view text); // throws Error{disk_full, io}
    void finish();                     // to disk, then to its name

  private:
    [[noreturn]] void fail() const;

    std::string path_, part_;
    std::FILE* file_;
    bool terminal_;
};

} // namespace alli::daemon
