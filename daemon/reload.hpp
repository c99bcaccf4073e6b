// SPDX-License-Identifier: Apache-2.0
// What a SIGHUP does: the settings are read again, what can change while the daemon runs is taken over, and the log
// says what waits for a restart. Settings that are wrong change nothing.
#pragma once

#include "daemon/commands.hpp"

#include <string>
#include <vector>

namespace alli::daemon {

/// The keys of settings that differ, in the order of the table.
std::vector<std::string> changed_settings(const Config& before, const Config& after);

/// Main thread. `current` becomes what was taken over: settings that need a restart stay as they are, so that the next
/// reload names them again.
void reload_settings(const Context& context, Config& current);

} // namespace alli::daemon
