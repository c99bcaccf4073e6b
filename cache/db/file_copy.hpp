// SPDX-License-Identifier: Apache-2.0
// SQLite's online backup of one file, in steps on the connection that commits to it: what is committed between two
// steps goes into the copy too, so it never begins again.
#pragma once

#include "cache/db/writer.hpp"

#include <string>

struct sqlite3_backup;

namespace alli::cache {

class FileCopy {
  public:
    /// Makes the file, mode 0600.
    explicit FileCopy(std::string to);
    ~FileCopy();
    FileCopy(const FileCopy&) = delete;
    FileCopy& operator=(const FileCopy&) = delete;

    /// Copies so many pages, outside of any transaction; false: it is whole, or failed. Always the same `from`. Never
    /// throws, for whoever owns that connection is not to suffer from a copy.
    bool step(Writer& from, int pages) noexcept;
    /// After the last step. Throws Error: disk_full, io.
    void require_whole() const;

    int done() const noexcept { return done_; } // pages
    int total() const noexcept { return total_; }

  private:
    [[noreturn]] void fail(int code) const;
    int copy_some(Writer& from, int pages) noexcept;
    int close() noexcept;

    std::string path_;
    sqlite3* to_ = nullptr;
    sqlite3_backup* backup_ = nullptr;
    int done_ = 0, total_ = 0, failure_ = 0;
};

} // namespace alli::cache
