// SPDX-License-Identifier: Apache-2.0
// The service manager's socket unit of a mirror, as it is installed: asked of systemctl, for a moment at most.
#pragma once

#include "daemon/places.hpp"

#include <optional>
#include <string>
#include <vector>

namespace alli::daemon {

struct UnitState {
    std::string name;
    bool active = false, enabled = false;
    std::vector<std::string> addresses; // of a socket, as proxy.listen writes them
};
struct SocketUnit {
    UnitState socket, service;
    std::string systemctl; // how a person calls it: of the system, or with --user
};

/// Of the service whose settings and environment these are. None: no service manager answers, or it has no such units.
std::optional<SocketUnit> find_socket_unit(const Settings& settings, const Environment& environment);

/// What `systemctl show` says of several units, in its own form.
std::vector<UnitState> read_units(const std::string& shown);

/// How the addresses that the service manager listens on differ from those that the settings name; empty: not at all.
/// Where none are set, other ports than the default one. Its own socket file, which commands know, is no difference.
std::string find_difference(const Settings& settings, const std::vector<std::string>& actual);

} // namespace alli::daemon
