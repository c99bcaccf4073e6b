// SPDX-License-Identifier: Apache-2.0
// One process owns the files: a flock on a file of its own, for closing a database file would drop SQLite's locks.
#pragma once

#include "cache/db/file_identity.hpp"

#include <optional>
#include <string>

namespace alli::cache {

class Lock {
  public:
    /// Throws Error{busy} that names the holder, Error{io} when the directory cannot be written.
    explicit Lock(const std::string& directory);
    ~Lock();
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

    /// A sentence when the file that it locks does not bear its name any more: then another process may own the mirror
    /// too. Any thread.
    std::optional<std::string> find_loss() const;

  private:
    std::string path_;
    int descriptor_;
    FileIdentity identity_;
};

} // namespace alli::cache
