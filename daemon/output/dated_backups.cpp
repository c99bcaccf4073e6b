// SPDX-License-Identifier: Apache-2.0
#include "daemon/output/dated_backups.hpp"

#include "alli/disk.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
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
        const bool is_dated = entry.path().filename().string().starts_with(prefix);
        if (is_dated && fs::exists(entry.path() / "outbox.db", hidden)) found.push_back(entry.path().string());
    }
    std::sort(found.begin(), found.end());
    return found;
}

int drop_older_backups(const std::string& directory, int keep)
{
    std::vector<std::string> found = find_backups(directory);
    const auto most = static_cast<std::size_t>(std::max(keep, 1)); // never the one that was just made
    if (found.size() <= most) return 0;
    found.resize(found.size() - most);
    for (const std::string& path : found) require_removed(path);
    return static_cast<int>(found.size());
}

} // namespace alli::daemon
