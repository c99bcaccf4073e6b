// SPDX-License-Identifier: Apache-2.0
// The socket unit of a mirror as installed, queried from systemctl with a short timeout.
#pragma once

#include "daemon/settings/paths.hpp"

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

/// The unit of the service with these settings and this environment. None if no service manager answers or it has no
/// such units.
std::optional<SocketUnit> find_socket_unit(const Settings& settings, const Environment& environment);

/// Parses the output of `systemctl show` for several units.
std::vector<UnitState> read_units(const std::string& shown);

/// Describes how the unit's addresses differ from those of the settings; empty if they agree. Without proxy.listen only
/// other ports than the default count. The unit's own socket file is known to commands and ignored.
std::string find_difference(const Settings& settings, const std::vector<std::string>& actual);

} // namespace alli::daemon
