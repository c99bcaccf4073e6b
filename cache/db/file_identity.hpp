// SPDX-License-Identifier: Apache-2.0
// Which file bears a name: its device and inode, without opening it. A file that is held open keeps its inode number,
// so one that takes its place never has the same.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>

namespace alli::cache {

struct FileIdentity {
    std::uint64_t device = 0, inode = 0;
    bool operator==(const FileIdentity&) const = default;
};

/// None: no such file, or it cannot be looked at.
inline std::optional<FileIdentity> identity_of(const std::string& path)
{
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return std::nullopt;
    return FileIdentity{status.st_dev, status.st_ino};
}

} // namespace alli::cache
