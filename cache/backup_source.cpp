// SPDX-License-Identifier: Apache-2.0
#include "cache/backup_source.hpp"

#include "alli/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace alli::cache {
namespace {

bool write_all(int to, const char* bytes, ::ssize_t size) // false: errno says why
{
    while (size > 0) {
        const ::ssize_t put = ::write(to, bytes, static_cast<std::size_t>(size));
        if (put < 0) return false;
        bytes += put;
        size -= put;
    }
    return true;
}

bool copy_all(int from, int to)
{
    std::vector<char> some(1 << 20);
    ::ssize_t got = 0;
    while ((got = ::read(from, some.data(), some.size())) > 0)
        if (!write_all(to, some.data(), got)) return false;
    return got == 0;
}

} // namespace

BackupSource::BackupSource(std::string path, std::string name)
    : path_(std::move(path)), name_(std::move(name)), descriptor_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC))
{
    if (descriptor_ < 0)
        throw Error(Fault::io, "run it as root, or as a user that may read the backup", "cannot read {}: {}", path_,
                    std::strerror(errno));
}

BackupSource::~BackupSource()
{
    ::close(descriptor_);
}

void BackupSource::copy_into(const std::string& directory) const
{
    const std::string to = directory + '/' + name_;
    const int copy = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int fault = copy < 0 || !copy_all(descriptor_, copy) ? errno : 0;
    if (copy >= 0 && ::close(copy) != 0 && fault == 0) fault = errno;
    if (fault == ENOSPC || fault == EDQUOT)
        throw Error(Fault::disk_full, "the restore needs as much room as the backup, beside the files that it replaces",
                    "there is no room to copy {}", path_);
    if (fault != 0) fail_copy(to, std::strerror(fault));
}

void fail_copy(const std::string& path, const std::string& why)
{
    throw Error(Fault::io, "run it as root, or as the user that owns the mirror's directory", "cannot write {}: {}",
                path, why);
}

} // namespace alli::cache
