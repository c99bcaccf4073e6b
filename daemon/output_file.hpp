// SPDX-License-Identifier: Apache-2.0
// Where a command writes much: stdout, or a file that appears under its name whole or not at all, mode 0600. On a
// terminal what could act on it is taken out. One thread.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

namespace alli::daemon {

class OutputFile {
  public:
    /// Empty: stdout. Throws Error{io} where the file cannot be made.
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
