// SPDX-License-Identifier: Apache-2.0
// The projects that this user's daemons mirror, for the switch of the page: each notes beside its mirror, in a
// directory that is closed to others, where a browser finds it. Nothing is asked of another daemon, and nothing is said
// of another user's.
#pragma once

#include "daemon/settings/projects.hpp"

#include <string>
#include <vector>

namespace alli::daemon {

/// Of the addresses that it listens on, the one that a browser of this machine finds it at. Where it cannot be written
/// this project is one that does not run, for the others.
void note_page_address(const std::string& mirror_path, const std::vector<std::string>& addresses);

/// {"projects": [{"name", "origin", "reachable", "current"}]}; of a sandbox itself alone. Any thread.
std::string projects_json(const std::string& mirror_path, bool is_sandbox, const Environment& environment,
                          const ServicePaths& paths = {});

} // namespace alli::daemon
