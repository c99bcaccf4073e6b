// SPDX-License-Identifier: Apache-2.0
#include "alli/part_file.hpp"

#include "alli/disk.hpp"

#include <spdlog/fmt/fmt.h>

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace alli {

namespace fs = std::filesystem;

// The process may be another machine's or container's, on a shared directory: then the part is written to.
static bool is_left(const fs::directory_entry& part, std::string_view behind_name)
{
    const auto pid = static_cast<pid_t>(std::strtol(std::string(behind_name).c_str(), nullptr, 10));
    if (pid <= 0 || pid == ::getpid() || ::kill(pid, 0) == 0 || errno != ESRCH) return false;
    std::error_code gone;
    const auto written = part.last_write_time(gone);
    return !gone && fs::file_time_type::clock::now() - written > std::chrono::minutes(10);
}

void remove_left_parts(const std::string& path)
{
    const std::string name = fs::path(path).filename().string() + ".part-";
    std::error_code unreadable; // who makes the file will say so
    for (const auto& entry : fs::directory_iterator(parent_directory(path), unreadable)) {
        const std::string there = entry.path().filename().string();
        if (there.starts_with(name) && is_left(entry, std::string_view(there).substr(name.size())))
            remove_path(entry.path().string());
    }
}

std::string begin_part(const std::string& path)
{
    remove_left_parts(path);
    return fmt::format("{}.part-{}", path, ::getpid());
}

} // namespace alli
