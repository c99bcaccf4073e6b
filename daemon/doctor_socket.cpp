// SPDX-License-Identifier: Apache-2.0
// Where the daemon listens: its own sockets, and those that the service manager keeps for it.
#include "daemon/doctor.hpp"
#include "daemon/socket_unit.hpp"
#include "proxy/listen_address.hpp"
#include "proxy/port_holder.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

namespace alli::daemon {
namespace {

// Where serve would listen; a daemon that runs may be another user's, and listens where there is a socket.
Listen listen_of(const Patient& patient)
{
    const std::string directory = std::filesystem::path(patient.place.mirror_path).parent_path().string();
    if (patient.place.sandbox) return sandbox_listen_addresses(patient.settings, directory);
    const Environment& environment = patient.context.environment;
    Listen listen = listen_addresses(patient.settings, environment);
    if (!patient.owner || patient.settings.is_set("proxy.listen")) return listen;
    std::vector<std::string> there;
    for (const std::string& address : socket_addresses(patient.settings, patient.place, environment))
        if (std::filesystem::exists(address.substr(std::min(proxy::unix_prefix.size(), address.size()))))
            there.push_back(address);
    return there.empty() ? listen : Listen{there, ""};
}

void check_socket_file(const Patient& patient, const std::string& path, Findings& found)
{
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0)
        patient.owner ? found.warn(fmt::format("{} is not there, though a daemon runs", path),
                                   "does it run with these settings? restart it")
                      : found.ok(fmt::format("{} is made by serve", path));
    else if ((status.st_mode & 077) != 0)
        found.warn(fmt::format("{} can be used by others", path), fmt::format("chmod 600 {}", path));
    else
        found.ok(path);
}

bool listens_for_us(const std::optional<SocketUnit>& unit, const std::string& address)
{
    return unit && unit->socket.active &&
           std::count(unit->socket.addresses.begin(), unit->socket.addresses.end(), address) > 0;
}

// Before a start: afterwards it is the daemon that holds it.
void check_port(const Patient& patient, const std::optional<SocketUnit>& unit, const std::string& address,
                Findings& found)
{
    if (patient.owner || listens_for_us(unit, address)) return;
    const std::string holder = proxy::find_port_holder(proxy::read_tcp_address(address));
    if (!holder.empty())
        found.warn(fmt::format("{} is taken: {} listens there", address, holder),
                   "stop it before serve is started, or choose another address in proxy.listen");
}

// While the service manager listens, its addresses count; without it the port is anybody's when no daemon runs.
void check_socket_unit(const Patient& patient, const SocketUnit& unit, Findings& found)
{
    const auto& [socket, service, systemctl] = unit;
    if (!socket.active && (socket.enabled || service.active || service.enabled))
        found.warn(
            fmt::format("{} does not hold the port: while {} does not run, any user can listen there and be sent a key",
                        socket.name, service.name),
            fmt::format("{0} stop {2}; {0} enable --now {1}; {0} start {2}", systemctl, socket.name, service.name));
    if (!socket.active && !socket.enabled) return;
    const std::string difference = find_difference(patient.settings, socket.addresses);
    if (difference.empty())
        found.ok(fmt::format("{} listens on {}", socket.name, fmt::join(socket.addresses, ", ")));
    else
        found.warn(fmt::format("{} has other addresses than proxy.listen: {}", socket.name, difference),
                   fmt::format("{0} edit {1}: [Socket], ListenStream= alone, then a ListenStream= line for each "
                               "address; {0} restart {1} {2}; name the same in proxy.listen",
                               systemctl, socket.name, service.name));
}

} // namespace

void check_socket(const Patient& patient, Findings& found)
{
    const Listen listen = listen_of(patient);
    const auto unit =
        patient.place.sandbox ? std::nullopt : find_socket_unit(patient.settings, patient.context.environment);
    const auto is_file = [](const std::string& address) { return address.starts_with(proxy::unix_prefix); };
    const bool passed = unit && unit->socket.active;
    const bool any = std::any_of(listen.addresses.begin(), listen.addresses.end(), is_file) ||
                     (passed && std::any_of(unit->socket.addresses.begin(), unit->socket.addresses.end(), is_file));
    for (const std::string& address : listen.addresses)
        is_file(address) ? check_socket_file(patient, address.substr(proxy::unix_prefix.size()), found)
                         : check_port(patient, unit, address, found);
    if (!any)
        found.warn(fmt::format("{}: commands reach the daemon only with the key",
                               listen.note.empty() ? "no Unix socket" : listen.note),
                   "add one to proxy.listen, or start it where RUNTIME_DIRECTORY or XDG_RUNTIME_DIR is this user's");
    if (unit) check_socket_unit(patient, *unit, found);
}

} // namespace alli::daemon
