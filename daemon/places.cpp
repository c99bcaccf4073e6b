// SPDX-License-Identifier: Apache-2.0
#include "daemon/places.hpp"

#include "alli/error.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace alli::daemon {

namespace fs = std::filesystem;

static constexpr std::string_view tcp_address = "127.0.0.1:8787";
static constexpr std::size_t longest_socket = sizeof(sockaddr_un{}.sun_path) - 1;

/// Of several directories in one variable (systemd separates them by colons), the first. Relative ones count as not
/// set.
static std::string directory_in(const Environment& environment, const std::string& variable)
{
    std::string value = environment(variable).value_or("");
    value.erase(std::min(value.find(':'), value.size()));
    return value.starts_with('/') ? value : "";
}

static std::string home(const Environment& environment)
{
    const std::string directory = directory_in(environment, "HOME");
    if (!directory.empty()) return directory;
    const passwd* entry = ::getpwuid(::getuid()); // at the start of a command, before any thread
    return entry != nullptr && entry->pw_dir != nullptr ? entry->pw_dir : "";
}

static std::string xdg(const Environment& environment, const std::string& variable, const std::string& below_home)
{
    const std::string directory = directory_in(environment, variable);
    if (!directory.empty()) return directory + "/alli-mirror";
    const std::string base = home(environment);
    return base.empty() ? "" : base + below_home + "/alli-mirror";
}

static std::string state_directory(const Environment& environment)
{
    const std::string directory = xdg(environment, "XDG_STATE_HOME", "/.local/state");
    if (directory.empty())
        throw Error(Fault::settings, "set mirror.path, or HOME", "there is no home directory to keep the mirror in");
    return directory;
}

std::string find_settings_file(const std::string& explicit_file, const Environment& environment)
{
    if (!explicit_file.empty()) return explicit_file;
    const std::string named = environment("ALLI_MIRROR_CONFIG").value_or("");
    if (!named.empty()) return named;

    const std::string own = xdg(environment, "XDG_CONFIG_HOME", "/.config");
    for (const std::string& file :
         {own.empty() ? "" : own + "/config.toml", std::string("/etc/alli-mirror/config.toml")})
        if (!file.empty() && ::access(file.c_str(), F_OK) == 0) return file;
    return "";
}

std::string mirror_path(const Settings& settings, const Environment& environment)
{
    if (!settings.config.mirror_path.empty()) return fs::absolute(settings.config.mirror_path).string();
    const std::string service = directory_in(environment, "STATE_DIRECTORY");
    return (service.empty() ? state_directory(environment) : service) + "/mirror.db";
}

std::string sandbox_mirror_path(const Environment& environment)
{
    return state_directory(environment) + "/sandbox/mirror.db";
}

ReadPlace find_read_place(const Settings& settings, const Environment& environment)
{
    const std::string path = mirror_path(settings, environment);
    const bool configured = !settings.config.mirror_path.empty() || environment("STATE_DIRECTORY");
    if (configured || fs::exists(path)) return {path, false};
    const std::string sandbox = sandbox_mirror_path(environment);
    return fs::exists(sandbox) ? ReadPlace{sandbox, true} : ReadPlace{path, false};
}

static Listen with_socket(const std::string& socket)
{
    if (socket.size() > longest_socket)
        return {{std::string(tcp_address)}, fmt::format("no Unix socket: the path {} is too long for one", socket)};
    return {{std::string(tcp_address), "unix:" + socket}, ""};
}

Listen listen_addresses(const Settings& settings, const Environment& environment)
{
    if (settings.is_set("proxy.listen")) return {settings.config.listen, ""};
    const std::string service = directory_in(environment, "RUNTIME_DIRECTORY");
    if (!service.empty()) return with_socket(service + "/proxy.sock");
    const std::string user = directory_in(environment, "XDG_RUNTIME_DIR");
    if (!user.empty()) return with_socket(user + "/alli-mirror/proxy.sock");
    return {{std::string(tcp_address)}, "no Unix socket: neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR is set"};
}

Listen sandbox_listen_addresses(const Settings& settings, const std::string& directory)
{
    if (settings.is_set("proxy.listen")) return {settings.config.listen, ""};
    return with_socket(directory + "/proxy.sock");
}

std::vector<std::string> socket_addresses(const Settings& settings, const ReadPlace& place,
                                          const Environment& environment)
{
    if (!place.sandbox) return listen_addresses(settings, environment).addresses;
    return sandbox_listen_addresses(settings, std::filesystem::path(place.mirror_path).parent_path().string())
        .addresses;
}

void make_directory_of(const std::string& file)
{
    const fs::path directory = fs::path(file).parent_path();
    if (directory.empty()) return;
    std::error_code fault;
    if (fs::is_directory(directory, fault)) return;
    fs::create_directories(directory, fault);
    if (fault)
        throw Error(Fault::io, "make it yourself, or choose another place with mirror.path",
                    "cannot make the directory {}: {}", directory.string(), fault.message());
    ::chmod(directory.c_str(), 0700);
}

} // namespace alli::daemon
