// SPDX-License-Identifier: Apache-2.0
// What a SIGHUP does: settings and tokens are read again, what can change while the daemon runs is taken over, and the
// log says what waits for a restart. As long as anything in them is wrong, nothing changes.
#pragma once

#include "daemon/commands.hpp"

#include <functional>
#include <string>
#include <vector>

namespace alli::daemon {

/// The keys of settings that differ, in the order of the table.
std::vector<std::string> changed_settings(const Config& before, const Config& after);

/// Gets what is taken over, and the tokens.
using Adjust = std::function<void(const Config&, std::vector<std::string> tokens)>;

/// Main thread. `current` becomes what was taken over: settings that need a restart stay as they are, so that the next
/// reload names them again.
void reload_settings(const Context& context, Config& current, const Adjust& adjust);

} // namespace alli::daemon
