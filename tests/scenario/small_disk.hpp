// SPDX-License-Identifier: Apache-2.0
// A small file system of a test's own, which can be filled and emptied; where the test may mount one.
#pragma once

#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string>

namespace alli::scenario {

/// A file system in memory of that size, on that directory.
class SmallDisk {
  public:
    SmallDisk(std::string path, const char* size) : path_(std::move(path))
    {
        std::filesystem::create_directories(path_);
        mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, size) == 0;
        if (mounted_) ::chmod(path_.c_str(), 0700);
    }
    ~SmallDisk()
    {
        if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

    bool mounted() const { return mounted_; }
    /// But for so many blocks of 4 KiB.
    void fill(std::uint64_t but = 0) const
    {
        const int file = ::open((path_ + "/filler").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        const std::string block(4096, 'x');
        while (::write(file, block.data(), block.size()) > 0) {
        }
        EXPECT_EQ(errno, ENOSPC);
        const auto size = ::lseek(file, 0, SEEK_END);
        EXPECT_EQ(::ftruncate(file, std::max<off_t>(0, size - static_cast<off_t>(but * block.size()))), 0);
        ::close(file);
    }
    void free() const { std::filesystem::remove(path_ + "/filler"); }

  private:
    std::string path_;
    bool mounted_ = false;
};

} // namespace alli::scenario
