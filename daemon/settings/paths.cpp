// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/paths.hpp"

#include "alli/error.hpp"
#include "daemon/settings/path_check.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace alli::daemon {

namespace fs = std::filesystem;

static constexpr const char* service_name = "alli-mirror";
static constexpr std::size_t longest_socket = sizeof(sockaddr_un{}.sun_path) - 1;

/// The first directory of a variable (systemd separates several by colons). A relative one is ignored.
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
    struct stat status = {};
    for (const std::string& file :
         {own.empty() ? "" : own + "/config.toml", std::string("/etc/alli-mirror/config.toml")})
        if (!file.empty() && ::lstat(file.c_str(), &status) == 0) return file; // a link to nowhere too: that is said
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

MirrorLocation find_mirror_location(const Settings& settings, const Environment& environment)
{
    const std::string path = mirror_path(settings, environment);
    check_mirror_path(path);
    const bool configured = !settings.config.mirror_path.empty() || environment("STATE_DIRECTORY");
    std::error_code hidden; // another user's: whoever opens it says so
    if (configured || fs::exists(path, hidden) || hidden) return {path, false};
    const std::string sandbox = sandbox_mirror_path(environment);
    return fs::exists(sandbox, hidden) ? MirrorLocation{sandbox, true} : MirrorLocation{path, false};
}

static Listen with_socket(const std::string& socket)
{
    if (socket.size() > longest_socket)
        return {{std::string(default_address)}, fmt::format("no Unix socket: the path {} is too long for one", socket)};
    return {{std::string(default_address), "unix:" + socket}, ""};
}

std::string user_name(unsigned user)
{
    const passwd* entry = ::getpwuid(user); // at the start of a command, before any thread
    return entry != nullptr ? entry->pw_name : fmt::format("number {}", user);
}

std::optional<std::uint32_t> find_service_group()
{
    std::array<char, 16 * 1024> text{};
    ::group entry{};
    ::group* found = nullptr;
    if (::getgrnam_r(service_name, &entry, text.data(), text.size(), &found) != 0 || found == nullptr)
        return std::nullopt;
    return entry.gr_gid == ::getegid() ? std::optional<std::uint32_t>(entry.gr_gid) : std::nullopt;
}

/// Why the directory is unsuitable for the socket, for example after su and sudo, which keep another user's variable.
/// Empty if it belongs to this user and others cannot write to it.
static std::string find_objection(const std::string& directory)
{
    struct stat status = {};
    if (::stat(directory.c_str(), &status) != 0)
        return errno == ENOENT ? "is not there" : fmt::format("cannot be used ({})", std::strerror(errno));
    if (!S_ISDIR(status.st_mode)) return "is no directory";
    if (status.st_uid != ::geteuid()) return fmt::format("belongs to another user ({})", user_name(status.st_uid));
    if ((status.st_mode & 022) != 0) return "can be written by others";
    if (::access(directory.c_str(), W_OK | X_OK) != 0)
        return fmt::format("cannot be written ({})", std::strerror(errno));
    return "";
}

struct SocketDirectory {
    std::string variable, base, directory; // what the variable names, and where the socket lies: made where missing
};

static std::vector<SocketDirectory> socket_directories(const Environment& environment)
{
    std::vector<SocketDirectory> places;
    const std::string service = directory_in(environment, "RUNTIME_DIRECTORY");
    if (!service.empty()) places.push_back({"RUNTIME_DIRECTORY", service, service});
    const std::string user = directory_in(environment, "XDG_RUNTIME_DIR");
    if (!user.empty()) places.push_back({"XDG_RUNTIME_DIR", user, user + "/alli-mirror"});
    return places;
}

static std::string find_objection(const SocketDirectory& place)
{
    struct stat status = {};
    const bool is_made = place.base == place.directory && ::lstat(place.base.c_str(), &status) != 0;
    if (is_made) return ""; // it was given for this program alone
    std::string why = find_objection(place.base);
    if (!why.empty()) return fmt::format("{} {} {}", place.variable, place.base, why);
    if (::lstat(place.directory.c_str(), &status) == 0) why = find_objection(place.directory);
    if (!why.empty()) return fmt::format("{} {}", place.directory, why);
    const std::string socket = place.directory + "/proxy.sock";
    if (::lstat(socket.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode))
        return fmt::format("{} is a file of another kind", socket);
    return "";
}

Listen listen_addresses(const Settings& settings, const Environment& environment)
{
    if (settings.is_set("proxy.listen")) return {settings.config.listen, ""};
    std::string why;
    for (const SocketDirectory& place : socket_directories(environment)) {
        const std::string objection = find_objection(place);
        if (objection.empty()) return with_socket(place.directory + "/proxy.sock");
        why += (why.empty() ? "" : "; ") + objection;
    }
    if (why.empty()) why = "neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR is set";
    return {{std::string(default_address)}, "no Unix socket: " + why};
}

Listen sandbox_listen_addresses(const Settings& settings, const std::string& directory)
{
    if (settings.is_set("proxy.listen")) return {settings.config.listen, ""};
    return with_socket(directory + "/proxy.sock");
}

/// The service's runtime directory for a command that runs outside of the service's environment: /run/NAME.
static std::string runtime_directory_of(const std::string& mirror_path, const Environment& environment)
{
    const std::string named = directory_in(environment, "RUNTIME_DIRECTORY");
    const fs::path state = fs::path(mirror_path).parent_path();
    const bool is_service = state.parent_path() == "/var/lib" || state.parent_path() == "/var/lib/private";
    return named.empty() && is_service ? "/run/" + state.filename().string() : named;
}

/// The socket unit's file is beside the runtime directory, which is removed with the service.
static std::vector<std::string> service_sockets(const std::string& mirror_path, const Environment& environment)
{
    const std::string directory = runtime_directory_of(mirror_path, environment);
    if (directory.empty()) return {};
    std::vector<std::string> there;
    for (const std::string& path : {directory + "/proxy.sock", directory + ".sock"})
        if (std::error_code hidden; fs::exists(path, hidden)) there.push_back("unix:" + path);
    return there;
}

std::vector<std::string> socket_addresses(const Settings& settings, const MirrorLocation& place,
                                          const Environment& environment)
{
    if (place.sandbox)
        return sandbox_listen_addresses(settings, fs::path(place.mirror_path).parent_path().string()).addresses;
    std::vector<std::string> addresses = settings.config.listen;
    if (!settings.is_set("proxy.listen")) {
        addresses = {std::string(default_address)};
        for (const SocketDirectory& directory : socket_directories(environment))
            for (const std::string& address : with_socket(directory.directory + "/proxy.sock").addresses)
                if (address != default_address) addresses.push_back(address);
    }
    for (const std::string& address : service_sockets(place.mirror_path, environment))
        if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
    return addresses;
}

void make_directory_of(const std::string& file, std::string_view setting)
{
    const fs::path directory = fs::path(file).parent_path();
    if (directory.empty()) return;
    std::error_code fault;
    if (fs::is_directory(directory, fault)) return;
    fs::create_directories(directory.parent_path(), fault);
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) fault = {errno, std::system_category()};
    if (!fault && !fs::is_directory(directory, fault)) fault = std::make_error_code(std::errc::not_a_directory);
    if (fault)
        throw Error(Fault::io, fmt::format("make it yourself, or choose another place with {}", setting),
                    "cannot make the directory {}: {}", directory.string(), fault.message());
}

void claim_directory_of(const std::string& file)
{
    make_directory_of(file);
    const fs::path named = fs::path(file).parent_path();
    const std::string directory = named.empty() ? "." : named.string();
    struct stat status = {};
    if (::stat(directory.c_str(), &status) == 0 && (status.st_mode & 077) != 0)
        throw Error(Fault::settings,
                    fmt::format("chmod 700 {}; or name a directory of its own with mirror.path", directory),
                    "others can use the directory {}, in which the mirror's files lie", directory);
}

} // namespace alli::daemon
