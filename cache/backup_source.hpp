// SPDX-License-Identifier: Apache-2.0
// The files of a backup, opened before anything is written: whoever may read them need not be who writes beside the
// mirror.
#pragma once

#include <string>

namespace alli::cache {

/// One of them. Throws Error: io, disk_full.
class BackupSource {
  public:
    BackupSource(std::string path, std::string name);
    BackupSource(const BackupSource&) = delete;
    BackupSource& operator=(const BackupSource&) = delete;
    ~BackupSource();

    /// As a new file of its name in that directory, mode 0600.
    void copy_into(const std::string& directory) const;

  private:
    std::string path_, name_;
    int descriptor_;
};

/// Of what cannot be written beside the mirror.
[[noreturn]] void fail_copy(const std::string& path, const std::string& why);

} // namespace alli::cache
