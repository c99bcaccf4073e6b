// SPDX-License-Identifier: Apache-2.0
#include "cache/aside.hpp"

#include "alli/clock.hpp"
#include "alli/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace alli::cache {
namespace {

namespace fs = std::filesystem;

std::string mark_of(const std::string& path)
{
    return path + ".damaged";
}

} // namespace

// The database itself last: as long as it has its name, the next start does this again.
std::string set_aside(const std::string& path)
{
    SystemClock clock;
    const std::string aside = path + ".damaged-" + to_rfc3339(clock.now());
    for (const char* suffix : {"-wal", "-shm", ""}) {
        std::error_code fault;
        fs::rename(path + suffix, aside + suffix, fault);
        if (fault && fault != std::errc::no_such_file_or_directory)
            throw Error(Fault::io, "the directory must be writable by the program's user", "cannot set {} aside: {}",
                        path + suffix, fault.message());
    }
    return aside;
}

std::vector<std::string> files_aside(const std::string& path)
{
    const fs::path file(path);
    const std::string prefix = file.filename().string() + ".damaged-";
    std::vector<std::string> files;
    std::error_code unreadable;
    for (const auto& entry :
         fs::directory_iterator(file.has_parent_path() ? file.parent_path() : fs::path("."), unreadable)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with(prefix) && !name.ends_with("-wal") && !name.ends_with("-shm"))
            files.push_back(entry.path().string());
    }
    std::sort(files.begin(), files.end());
    return files;
}

void mark_damaged(const std::string& path, const std::string& why) noexcept
{
    const int descriptor = ::open(mark_of(path).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) return; // then the next process finds out at its own first failure
    [[maybe_unused]] const auto written = ::write(descriptor, why.data(), why.size());
    ::fsync(descriptor);
    ::close(descriptor);
}

std::optional<std::string> find_mark(const std::string& path)
{
    std::ifstream file(mark_of(path));
    if (!file) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(file), {});
}

void clear_mark(const std::string& path) noexcept
{
    ::unlink(mark_of(path).c_str());
}

} // namespace alli::cache
