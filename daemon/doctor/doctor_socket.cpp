// SPDX-License-Identifier: Apache-2.0
// Checks of the listening sockets: the daemon's own, and those of the service manager's socket unit.
#include "daemon/doctor/doctor.hpp"
#include "daemon/service/socket_unit.hpp"
#include "proxy/listen_address.hpp"
#include "proxy/port_holder.hpp"

#include <grp.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

namespace alli::daemon {
namespace {

// The addresses that serve would listen on. A running daemon may belong to another user, and is checked where its
// socket exists.
Listen listen_of(const DoctorContext& cx)
{
    const std::string directory = std::filesystem::path(cx.place.mirror_path).parent_path().string();
    if (cx.place.sandbox) return sandbox_listen_addresses(cx.settings, directory);
    const Environment& environment = cx.context.environment;
    Listen listen = listen_addresses(cx.settings, environment);
    if (!cx.owner || cx.settings.is_set("proxy.listen")) return listen;
    std::vector<std::string> there;
    for (const std::string& address : socket_addresses(cx.settings, cx.place, environment))
        if (std::filesystem::exists(address.substr(std::min(proxy::unix_prefix.size(), address.size()))))
            there.push_back(address);
    return there.empty() ? listen : Listen{there, ""};
}

// A service's socket is its group's too.
bool is_open_to_others(const struct stat& status)
{
    const ::group* entry = ::getgrnam("alli-mirror"); // doctor has one thread
    const bool is_services = entry != nullptr && entry->gr_gid == status.st_gid;
    return (status.st_mode & (is_services ? 007 : 077)) != 0;
}

void check_socket_file(const DoctorContext& cx, const std::string& path, CheckResults& results)
{
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0)
        cx.owner ? results.warn(fmt::format("{} is not there, though a daemon runs", path),
                                "does it run with these settings? restart it")
                 : results.ok(fmt::format("{} is made by serve", path));
    else if (is_open_to_others(status))
        results.warn(fmt::format("{} can be used by others", path), fmt::format("chmod 600 {}", path));
    else
        results.ok(path);
}

bool listens_for_us(const std::optional<SocketUnit>& unit, const std::string& address)
{
    return unit && unit->socket.active &&
           std::count(unit->socket.addresses.begin(), unit->socket.addresses.end(), address) > 0;
}

// Checked before a start only; afterwards the daemon itself holds the port.
void check_port(const DoctorContext& cx, const std::optional<SocketUnit>& unit, const std::string& address,
                CheckResults& results)
{
    if (cx.owner || listens_for_us(unit, address)) return;
    const std::string holder = proxy::find_port_holder(proxy::read_tcp_address(address));
    if (!holder.empty())
        results.warn(fmt::format("{} is taken: {} listens there", address, holder),
                     "stop it before serve is started, or choose another address in proxy.listen");
}

// With a socket unit its addresses apply; without one any user can take the port while no daemon runs.
void check_socket_unit(const DoctorContext& cx, const SocketUnit& unit, CheckResults& results)
{
    const auto& [socket, service, systemctl] = unit;
    if (!socket.active && (socket.enabled || service.active || service.enabled))
        results.warn(
            fmt::format("{} does not hold the port: while {} does not run, any user can listen there and be sent a key",
                        socket.name, service.name),
            fmt::format("{0} stop {2}; {0} enable --now {1}; {0} start {2}", systemctl, socket.name, service.name));
    if (!socket.active && !socket.enabled) return;
    const std::string difference = find_difference(cx.settings, socket.addresses);
    if (difference.empty())
        results.ok(fmt::format("{} listens on {}", socket.name, fmt::join(socket.addresses, ", ")));
    else
        results.warn(fmt::format("{} has other addresses than proxy.listen: {}", socket.name, difference),
                     fmt::format("{0} edit {1}: [Socket], ListenStream= alone, then a ListenStream= line for each "
                                 "address; {0} restart {1} {2}; name the same in proxy.listen",
                                 systemctl, socket.name, service.name));
}

} // namespace

void check_socket(const DoctorContext& cx, CheckResults& results)
{
    const Listen listen = listen_of(cx);
    const auto unit = cx.place.sandbox ? std::nullopt : find_socket_unit(cx.settings, cx.context.environment);
    const auto is_file = [](const std::string& address) { return address.starts_with(proxy::unix_prefix); };
    const bool passed = unit && unit->socket.active;
    const bool any = std::any_of(listen.addresses.begin(), listen.addresses.end(), is_file) ||
                     (passed && std::any_of(unit->socket.addresses.begin(), unit->socket.addresses.end(), is_file));
    for (const std::string& address : listen.addresses)
        is_file(address) ? check_socket_file(cx, address.substr(proxy::unix_prefix.size()), results)
                         : check_port(cx, unit, address, results);
    if (!any)
        results.warn(fmt::format("{}: commands reach the daemon only with the key",
                                 listen.note.empty() ? "no Unix socket" : listen.note),
                     "add one to proxy.listen, or start it where RUNTIME_DIRECTORY or XDG_RUNTIME_DIR is this user's");
    if (unit) check_socket_unit(cx, *unit, results);
}

} // namespace alli::daemon
