// SPDX-License-Identifier: Apache-2.0
#include "daemon/output/dated_backups.hpp"

#include "alli/disk.hpp"
#include "cache/backup_project.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

namespace alli::daemon {

namespace fs = std::filesystem;

static constexpr const char* prefix = "alli-mirror-2"; // and the rest of a year

std::string dated_backup_path(const std::string& directory, Instant now)
{
    std::string time = to_rfc3339(std::chrono::floor<std::chrono::seconds>(now));
    std::replace(time.begin(), time.end(), ':', '-');
    const std::string path = fmt::format("{}/alli-mirror-{}", directory, time);
    std::string free = path;
    for (int n = 2; fs::exists(free); ++n) free = fmt::format("{}.{}", path, n);
    return free;
}

std::vector<std::string> find_backups(const std::string& directory)
{
    std::vector<std::string> found;
    std::error_code unreadable;
    for (const auto& entry : fs::directory_iterator(directory, unreadable)) {
        std::error_code hidden;
        const std::string name = entry.path().filename().string();
        const bool is_dated = name.starts_with(prefix) && !name.ends_with(partial_backup);
        if (is_dated && fs::exists(entry.path() / "outbox.db", hidden)) found.push_back(entry.path().string());
    }
    std::sort(found.begin(), found.end());
    return found;
}

static bool is_left(const fs::path& copy)
{
    constexpr std::chrono::hours age{2};
    std::error_code gone;
    auto written = fs::last_write_time(copy, gone);
    for (const auto& file : fs::directory_iterator(copy, gone)) written = std::max(written, file.last_write_time(gone));
    return !gone && fs::file_time_type::clock::now() - written > age;
}

void remove_partial_backups(const std::string& directory)
{
    std::vector<fs::path> left;
    std::error_code unreadable; // who writes there will say so
    for (const auto& entry : fs::directory_iterator(directory, unreadable)) {
        const std::string name = entry.path().filename().string();
        const bool is_directory = fs::is_directory(entry.symlink_status(unreadable));
        if (is_directory && name.starts_with(prefix) && name.ends_with(partial_backup) && is_left(entry.path()))
            left.push_back(entry.path());
    }
    for (const fs::path& path : left) remove_path(path);
}

std::string outbox_id_of(const std::string& backup)
{
    return cache::read_outbox_id(backup + "/outbox.db").value_or("");
}

int drop_older_backups(const std::string& made, int keep)
{
    const std::string id = outbox_id_of(made);
    if (id.empty()) return 0;
    std::vector<std::string> others = find_backups(parent_directory(made));
    std::erase_if(others, [&](const std::string& path) { return path == made || outbox_id_of(path) != id; });
    const auto kept = std::min(others.size(), static_cast<std::size_t>(std::max(keep, 1)) - 1);
    others.resize(others.size() - kept);
    for (const std::string& path : others) require_removed(path);
    return static_cast<int>(others.size());
}

} // namespace alli::daemon
