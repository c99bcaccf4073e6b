// SPDX-License-Identifier: Apache-2.0
#include "alli/disk.hpp"

#include "alli/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace alli {
namespace {

DiskObserver* observer = nullptr;

template <class F>
std::error_code observed(const DiskCall& call, F work)
{
    if (observer)
        if (const auto fault = observer->before(call)) return fault;
    const std::error_code fault = work();
    if (observer && !fault) observer->after(call);
    return fault;
}

std::error_code error_if(bool failed)
{
    return failed ? std::error_code(errno, std::generic_category()) : std::error_code();
}

std::error_code sync(const std::string& path)
{
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const auto fault = error_if(descriptor < 0 || ::fsync(descriptor) != 0);
    if (descriptor >= 0) ::close(descriptor);
    return fault;
}

std::error_code write_whole(const std::string& path, const std::string& text)
{
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) return error_if(true);
    const auto written = ::write(descriptor, text.data(), text.size());
    const auto fault = error_if(written < 0);
    ::close(descriptor);
    if (!fault && written != static_cast<ssize_t>(text.size()))
        return std::make_error_code(std::errc::no_space_on_device);
    return fault;
}

std::error_code try_sync(const std::string& path)
{
    return observed({DiskCall::Kind::sync, path}, [&] { return sync(path); });
}

} // namespace

void observe_disk(DiskObserver* whose) noexcept
{
    observer = whose;
}

void sync_to_disk(const std::string& path)
{
    if (const auto fault = try_sync(path))
        throw Error(Fault::io, "see the system's log", "cannot sync {}: {}", path, fault.message());
}

std::error_code rename_file(const std::string& from, const std::string& to)
{
    return observed({DiskCall::Kind::rename, from, to},
                    [&] { return error_if(::rename(from.c_str(), to.c_str()) != 0); });
}

void rename_synced(const std::string& from, const std::string& to)
{
    if (const auto fault = rename_file(from, to))
        throw Error(Fault::io, "the directory must be writable by the program's user", "cannot rename {} to {}: {}",
                    from, to, fault.message());
    sync_to_disk(parent_directory(to));
}

std::error_code remove_path(const std::string& path)
{
    return observed({DiskCall::Kind::remove, path}, [&] {
        std::error_code fault;
        std::filesystem::remove_all(path, fault);
        return fault;
    });
}

void require_removed(const std::string& path)
{
    if (const auto fault = remove_path(path))
        throw Error(Fault::io, "see the system's log", "cannot remove {}: {}", path, fault.message());
}

std::error_code write_file(const std::string& path, const std::string& text)
{
    const auto fault = observed({DiskCall::Kind::write, path, {}, text}, [&] { return write_whole(path, text); });
    const auto unsynced = fault ? fault : try_sync(path);
    return unsynced ? unsynced : try_sync(parent_directory(path));
}

std::string parent_directory(const std::string& path)
{
    const auto parent = std::filesystem::path(path).parent_path();
    return parent.empty() ? "." : parent.string();
}

} // namespace alli
