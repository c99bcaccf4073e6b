// SPDX-License-Identifier: Apache-2.0
#include "cache/db/quarantine.hpp"

#include "alli/clock.hpp"
#include "alli/disk.hpp"
#include "alli/error.hpp"

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
std::string quarantine(const std::string& path)
{
    SystemClock clock;
    const std::string aside = path + ".damaged-" + to_rfc3339(clock.now());
    for (const char* suffix : {"-wal", "-shm", ""}) {
        const std::error_code fault = rename_file(path + suffix, aside + suffix);
        if (fault && fault != std::errc::no_such_file_or_directory)
            throw Error(Fault::io, "the directory must be writable by the program's user", "cannot set {} aside: {}",
                        path + suffix, fault.message());
    }
    return aside;
}

void drop_older_quarantined(const std::string& path, std::size_t most)
{
    std::vector<std::string> files = quarantined_files(path);
    files.resize(files.size() - std::min(files.size(), most));
    for (const std::string& file : files)
        for (const char* suffix : {"-wal", "-shm", ""}) remove_path(file + suffix);
}

std::vector<std::string> quarantined_files(const std::string& path)
{
    return files_beside(path, ".damaged-");
}

std::vector<std::string> files_beside(const std::string& path, const std::string& ending)
{
    const fs::path file(path);
    const std::string prefix = file.filename().string() + ending;
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

static std::optional<std::string> read_text(const std::string& path)
{
    std::ifstream file(path);
    if (!file) return std::nullopt;
    return std::string(std::istreambuf_iterator<char>(file), {});
}

void put_damage_marker(const std::string& path, const std::string& why) noexcept
{
    try {
        write_file(mark_of(path), why);
    } catch (...) { // then the next process finds out at its own first failure
    }
}

// One of another user, root's above all, marks as well as one that can be read.
std::optional<std::string> find_damage_marker(const std::string& path)
{
    auto why = read_text(mark_of(path));
    std::error_code hidden;
    if (!why && fs::exists(mark_of(path), hidden)) why = "for a reason that only another user may read";
    return why;
}

void clear_damage_marker(const std::string& path) noexcept
{
    try {
        remove_path(mark_of(path));
    } catch (...) { // no memory for a name: it is set aside once more
    }
}

void write_notice(const std::string& path, const std::string& what) noexcept
{
    try {
        SystemClock clock;
        write_file(path + ".notice-" + to_rfc3339(clock.now()), what);
    } catch (...) { // no memory for a name
    }
}

std::vector<Notice> find_notices(const std::string& path)
{
    std::vector<Notice> notices;
    for (const std::string& file : files_beside(path, ".notice-"))
        notices.push_back({file, read_text(file).value_or("")});
    return notices;
}

} // namespace alli::cache
