// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/socket_unit.hpp"

#include "alli/error.hpp"
#include "proxy/listen_address.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <set>
#include <spawn.h>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

namespace alli::daemon {
namespace {

namespace fs = std::filesystem;
constexpr std::chrono::seconds patience{2};
constexpr std::string_view prefix = "alli-mirror";
constexpr std::string_view system_settings = "/etc/alli-mirror/";

/// A program's output. Empty if it cannot be run, failed, or timed out.
class Output {
  public:
    explicit Output(std::vector<std::string> words)
    {
        std::array<int, 2> pipe{};
        if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return;
        start(words, pipe[1]);
        ::close(pipe[1]);
        if (child_ > 0) read_all(pipe[0]);
        ::close(pipe[0]);
        finish();
    }
    std::string text;

  private:
    void start(std::vector<std::string>& words, int output)
    {
        std::vector<char*> pointers;
        for (std::string& word : words) pointers.push_back(word.data());
        pointers.push_back(nullptr);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
        if (::posix_spawnp(&child_, pointers[0], &actions, nullptr, pointers.data(), environ) != 0) child_ = -1;
        posix_spawn_file_actions_destroy(&actions);
    }

    void read_all(int input)
    {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        for (std::array<char, 4096> piece{};;) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
            pollfd waited{input, POLLIN, 0};
            if (left.count() <= 0 || ::poll(&waited, 1, static_cast<int>(left.count())) <= 0) break;
            const auto count = ::read(input, piece.data(), piece.size());
            if (count == 0) ended_ = true;
            if (count <= 0) break;
            text.append(piece.data(), static_cast<std::size_t>(count));
        }
    }

    void finish()
    {
        if (child_ <= 0) return;
        int state = 0;
        if (!ended_) ::kill(child_, SIGKILL);
        ::waitpid(child_, &state, 0);
        if (!ended_ || !WIFEXITED(state) || WEXITSTATUS(state) != 0) text.clear();
    }

    pid_t child_ = -1;
    bool ended_ = false;
};

// "127.0.0.1:8787 (Stream)"; a path is a Unix socket.
std::string read_listen(const std::string& value)
{
    const std::string address = value.substr(0, value.find(" ("));
    return (address.starts_with('/') ? std::string(proxy::unix_prefix) : "") + address;
}

// The properties of one unit.
UnitState read_unit(std::istream& lines)
{
    UnitState unit;
    for (std::string line; std::getline(lines, line) && !line.empty();) {
        const auto equals = std::min(line.find('='), line.size() - 1);
        const std::string name = line.substr(0, equals), value = line.substr(equals + 1);
        if (name == "Id") unit.name = value;
        if (name == "ActiveState") unit.active = value == "active" || value == "activating" || value == "reloading";
        if (name == "UnitFileState") unit.enabled = value.starts_with("enabled");
        if (name == "Listen") unit.addresses.push_back(read_listen(value));
    }
    return unit;
}

// localhost and 127.0.0.1 compare equal.
std::string plain(const std::string& address)
{
    if (address.starts_with(proxy::unix_prefix)) return address;
    try {
        const auto endpoint = proxy::read_tcp_address(address);
        return fmt::format("{} {}", endpoint.address().to_string(), endpoint.port());
    } catch (const Error&) {
        return address; // an address of another kind, which nobody set here
    }
}

bool is_units_file(const std::string& address)
{
    return address.starts_with(fmt::format("{}/run/{}", proxy::unix_prefix, prefix)) && address.ends_with(".sock") &&
           std::count(address.begin(), address.end(), '/') == 2;
}

// The elements of `some` that `others` lacks.
std::vector<std::string> missing(const std::vector<std::string>& some, const std::vector<std::string>& others)
{
    std::set<std::string> known;
    for (const std::string& other : others) known.insert(plain(other));
    std::vector<std::string> without;
    for (const std::string& one : some)
        if (!known.contains(plain(one))) without.push_back(one);
    return without;
}

// Otherwise a user, possibly root, runs the mirror.
bool is_system_service(const Settings& settings, const Environment& environment, const fs::path& directory)
{
    const bool is_placed = settings.is_set("mirror.path") && settings.file.starts_with(system_settings);
    return is_placed || environment("STATE_DIRECTORY") || directory.string().starts_with("/var/lib/");
}

// The unit's name: alli-mirror or alli-mirror@NAME, from the mirror's directory, or from that of the settings file if
// the mirror is elsewhere.
std::string service_name(const Settings& settings, const fs::path& directory)
{
    const std::string instances = std::string(prefix) + "@";
    if (directory.filename().string().starts_with(instances)) return directory.filename();
    const fs::path place = fs::path(settings.file).parent_path();
    const bool is_instance = place.string().starts_with(system_settings) && place.parent_path() / "" == system_settings;
    return is_instance ? instances + place.filename().string() : std::string(prefix);
}

} // namespace

std::vector<UnitState> read_units(const std::string& shown)
{
    std::vector<UnitState> units;
    std::istringstream lines(shown);
    while (lines.peek() != std::istringstream::traits_type::eof()) units.push_back(read_unit(lines));
    return units;
}

std::optional<SocketUnit> find_socket_unit(const Settings& settings, const Environment& environment)
{
    const fs::path directory = fs::path(mirror_path(settings, environment)).parent_path();
    const bool is_systems = is_system_service(settings, environment, directory);
    const std::string unit = is_systems ? service_name(settings, directory) : std::string(prefix);
    std::vector<std::string> words{"systemctl"};
    if (!is_systems) words.push_back("--user");
    for (const char* word : {"show", "--property=Id,ActiveState,UnitFileState,Listen"}) words.push_back(word);
    for (const char* kind : {".socket", ".service"}) words.push_back(unit + kind);
    auto units = read_units(Output(std::move(words)).text);
    if (units.size() != 2) return std::nullopt;
    return SocketUnit{std::move(units[0]), std::move(units[1]), is_systems ? "systemctl" : "systemctl --user"};
}

std::string find_difference(const Settings& settings, const std::vector<std::string>& actual)
{
    const bool is_set = settings.is_set("proxy.listen");
    const auto wanted = is_set ? settings.config.listen : std::vector<std::string>{std::string(default_address)};
    const auto absent = missing(wanted, actual);
    auto unknown = missing(actual, wanted);
    std::erase_if(unknown, [&](const std::string& address) {
        return is_set ? is_units_file(address) : address.starts_with(proxy::unix_prefix);
    });
    std::string said;
    if (!absent.empty()) said = fmt::format("nobody listens on {}", fmt::join(absent, ", "));
    if (!unknown.empty())
        said += fmt::format("{}commands do not look on {}", said.empty() ? "" : ", and ", fmt::join(unknown, ", "));
    return said;
}

} // namespace alli::daemon
