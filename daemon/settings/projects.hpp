// SPDX-License-Identifier: Apache-2.0
// All mirrors that this process could read: one's own, and those of the machine's services
// (daemon/settings/service.hpp). Each is a project of the service's.
#pragma once

#include "daemon/settings/service.hpp"

#include <string>
#include <vector>

namespace alli::daemon {

struct Project {
    std::string name; // the service's, or "own"
    std::string mirror_path;
};
/// One's own first, then the services in order; without sandboxes. Those of which no mirror can be seen, because there
/// is none or for want of rights, are left out.
std::vector<Project> find_projects(const Context& context, const ServicePaths& paths = {});

} // namespace alli::daemon
