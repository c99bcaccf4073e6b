// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/path_check.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

namespace alli::daemon {
namespace {

namespace fs = std::filesystem;

// "FILE:LINE": set in a file. Variables and flags come from a shell, which has a working directory.
bool is_of_file(const std::string& origin)
{
    return origin.find(':') != origin.npos;
}

struct stat look_at(const std::string& path, int (*look)(const char*, struct stat*), int& why)
{
    struct stat status = {};
    why = look(path.c_str(), &status) == 0 ? 0 : errno;
    return status;
}

// The nearest existing ancestor must be a directory; missing ones are created.
void check_parents(const std::string& key, const fs::path& path)
{
    for (fs::path parent = path.parent_path();; parent = parent.parent_path()) {
        int why = 0;
        const auto status = look_at(parent.string(), &::stat, why);
        if (why == 0 && !S_ISDIR(status.st_mode))
            throw Error(Fault::settings, "choose a path below a directory", "{}: {} is a file, not a directory", key,
                        parent.string());
        if (why != ENOENT && why != ENOTDIR) return;
        int why_not_link = 0;
        look_at(parent.string(), &::lstat, why_not_link);
        if (why_not_link == 0)
            throw Error(Fault::settings, "make what it leads to, or name that itself",
                        "{}: {} is a symbolic link that leads nowhere", key, parent.string());
        if (!parent.has_relative_path()) return;
    }
}

void check_file(const std::string& key, const std::string& path, const std::string& instead)
{
    int why = 0;
    const auto status = look_at(path, &::stat, why);
    if (why == 0 && S_ISDIR(status.st_mode)) throw Error(Fault::settings, instead, "{} is a directory: {}", key, path);
    if (why == 0 && !S_ISREG(status.st_mode))
        throw Error(Fault::settings, "name a file that may be made", "{} is a device, a pipe or a socket: {}", key,
                    path);
    if (why == ELOOP)
        throw Error(Fault::settings, "name the file itself", "{} is a symbolic link that leads to itself: {}", key,
                    path);
    int no_entry = 0;
    look_at(path, &::lstat, no_entry);
    if (why == ENOENT && no_entry == 0)
        throw Error(Fault::settings, "make what it leads to, or name that itself",
                    "{} is a symbolic link that leads nowhere: {}", key, path);
}

} // namespace

void check_path(std::string_view key, const std::string& path, const std::string& origin,
                const Environment& environment)
{
    if (path.empty()) return;
    if (path.find_first_of("\r\n\t") != path.npos || path.front() == ' ' || path.back() == ' ')
        throw Error(Fault::settings, "leave out what stands around the path", "{} has white space around it", key);
    if (path.front() == '~')
        throw Error(Fault::settings,
                    fmt::format("write the whole path: {} in place of ~", environment("HOME").value_or("/home/NAME")),
                    "{} begins with ~, which is the shell's alone", key);
    if (path.front() != '/' && is_of_file(origin))
        throw Error(Fault::settings, "write the whole path, from / on",
                    "{} is no absolute path: it would depend on where the program is started", key);
}

void check_mirror_path(const std::string& path)
{
    static constexpr auto taken = std::to_array<std::string_view>({"outbox.db", "alli-mirror.lock", "node"});
    const std::string name = fs::path(path).filename().string();
    const std::string inside = fmt::format("name the file in it: {}", (fs::path(path) / "mirror.db").string());
    if (name.empty() || name == "." || name == "..")
        throw Error(Fault::settings, inside, "mirror.path is a directory: {}", path);
    if (std::find(taken.begin(), taken.end(), name) != taken.end())
        throw Error(Fault::settings, "call the mirror otherwise, such as mirror.db",
                    "mirror.path has the name of a file that lies beside the mirror: {}", path);
    check_file("mirror.path", path, inside);
    check_parents("mirror.path", path);
    check_file("mirror.path: what lies beside it", (fs::path(path).parent_path() / "outbox.db").string(),
               "move it away, or choose another mirror.path");
}

void check_socket_path(const std::string& path)
{
    int why = 0;
    const auto status = look_at(path, &::stat, why);
    if (why == 0 && S_ISDIR(status.st_mode))
        throw Error(Fault::settings,
                    fmt::format("name the socket in it: unix:{}", (fs::path(path) / "proxy.sock").string()),
                    "proxy.listen: {} is a directory", path);
    if (why == 0 && !S_ISSOCK(status.st_mode))
        throw Error(Fault::settings, "choose another path: a file that is there is not replaced",
                    "proxy.listen: {} is a file of another kind", path);
    check_parents("proxy.listen", path);
}

} // namespace alli::daemon
