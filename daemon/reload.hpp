// SPDX-License-Identifier: Apache-2.0
// What a SIGHUP does: settings and tokens are read again, what can change while the daemon runs is taken over, and the
// log says what waits for a restart. As long as anything in them is wrong, nothing changes.
#pragma once

#include "daemon/load_settings.hpp"
#include "daemon/token_file.hpp"

#include <functional>
#include <string>
#include <vector>

namespace alli::daemon {

/// The keys of settings that differ, in the order of the table.
std::vector<std::string> changed_settings(const Config& before, const Config& after);

/// Gets what is taken over, the tokens, and where they lie now.
using Adjust = std::function<void(const Config&, std::vector<proxy::Token> tokens, TokensPlace place)>;

/// Main thread. `current` becomes what was taken over: settings that need a restart stay as they are, so that the next
/// reload names them again. Tokens lie beside `mirror_path` where no setting says another place.
void reload_settings(const Context& context, const std::string& mirror_path, Config& current, const Adjust& adjust);

} // namespace alli::daemon
