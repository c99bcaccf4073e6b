// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/daemon_probe.hpp"

#include "daemon/settings/service.hpp"

#include <spdlog/fmt/fmt.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>

namespace alli::daemon {

static std::optional<int> find_hidden_owner(const std::string& mirror_path)
{
    const auto state = std::filesystem::path(mirror_path).parent_path();
    const bool has_socket = has_service_socket(state.filename().string(), {state.parent_path().string()});
    return has_socket ? std::optional<int>(hidden_owner) : std::nullopt;
}

/// Reads /proc/locks: taking the lock, even briefly, could make a starting daemon fail. The lock file holds the owner's
/// process id; the device is not compared, because some file systems report another one in /proc/locks.
std::optional<int> find_owner(const std::string& mirror_path)
{
    const auto file = std::filesystem::path(mirror_path).parent_path() / "alli-mirror.lock";
    struct stat status = {};
    int owner = 0;
    if (::stat(file.c_str(), &status) != 0 && errno == EACCES) return find_hidden_owner(mirror_path);
    if (status.st_ino == 0 || !(std::ifstream(file) >> owner)) return std::nullopt;
    const std::string place_ending = fmt::format(":{}", status.st_ino);

    std::ifstream locks("/proc/locks");
    for (std::string line; std::getline(locks, line);) {
        std::istringstream words(line); // 1: FLOCK ADVISORY WRITE 4711 fe:01:12345 0 EOF
        std::string number, kind, strength, access, place;
        int process = 0;
        if (words >> number >> kind >> strength >> access >> process >> place && kind == "FLOCK" && process == owner &&
            place.ends_with(place_ending))
            return owner;
    }
    return std::nullopt;
}

} // namespace alli::daemon
