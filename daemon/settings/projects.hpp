// SPDX-License-Identifier: Apache-2.0
// All mirrors that this process could read: one's own, and those of the machine's services
// (daemon/settings/service.hpp). Each is a project of the service's.
#pragma once

#include "daemon/settings/service.hpp"

#include <string>
#include <vector>

namespace alli::daemon {

struct Project {
    std::string name; // the service's, "own", or that of the directory of its settings
    std::string mirror_path;
    Context context;     // as a command that is told that mirror has it
    bool hidden = false; // its files are closed to this user, its daemon's socket is open
};
/// One's own first ("own", then those with settings in ~/.config/alli-mirror/NAME/config.toml), then the services, each
/// in order; without sandboxes. Those of which neither mirror nor socket can be used are left out.
std::vector<Project> find_projects(const Context& context, const ServicePaths& paths = {});

/// Without what tells a process which mirror it is about.
Environment without_mirror(const Environment& from);

} // namespace alli::daemon
