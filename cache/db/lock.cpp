// SPDX-License-Identifier: Apache-2.0
#include "cache/db/lock.hpp"

#include "alli/error.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace alli::cache {
namespace {

std::string holder_of(int descriptor)
{
    std::array<char, 32> pid{};
    const ssize_t size = ::pread(descriptor, pid.data(), pid.size() - 1, 0);
    std::string holder(pid.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    holder.erase(holder.find_last_not_of('\n') + 1);
    return holder.empty() ? "another process" : "process " + holder;
}

} // namespace

Lock::Lock(const std::string& directory) : path_(directory + "/alli-mirror.lock")
{
    const std::string& path = path_;
    descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor_ < 0)
        throw Error(Fault::io, "the directory must exist and be writable by the program's user (setting mirror.path)",
                    "cannot write {}: {}", path, std::strerror(errno));
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
        const std::string holder = holder_of(descriptor_);
        ::close(descriptor_);
        throw Error(Fault::busy, "one process owns a mirror; when that is the daemon, it syncs and answers by itself",
                    "the mirror in {} is in use by {}", directory, holder);
    }
    const std::string pid = std::to_string(::getpid()) + '\n';
    if (::ftruncate(descriptor_, 0) != 0 || ::pwrite(descriptor_, pid.data(), pid.size(), 0) < 0) {
        const int why = errno;
        ::close(descriptor_);
        throw Error(why == ENOSPC ? Fault::disk_full : Fault::io, "see whether the disk is full or read-only",
                    "cannot write {}: {}", path, std::strerror(why));
    }
    identity_ = identity_of(path).value_or(FileIdentity{});
}

std::optional<std::string> Lock::find_loss() const
{
    const auto now = identity_of(path_);
    if (now == identity_) return std::nullopt;
    return fmt::format("{} was {} while the program ran", path_, now ? "replaced" : "removed or moved");
}

Lock::~Lock()
{
    ::close(descriptor_); // which gives the lock up
}

} // namespace alli::cache
