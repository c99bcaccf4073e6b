// SPDX-License-Identifier: Apache-2.0
// One process owns the files: a flock on a file of its own, for closing a database file would drop SQLite's locks.
#pragma once

#include <string>

namespace alli::cache {

class Lock {
  public:
    /// Throws Error{busy} that names the holder, Error{io} when the directory cannot be written.
    explicit Lock(const std::string& directory);
    ~Lock();
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

  private:
    int descriptor_;
};

} // namespace alli::cache
