// SPDX-License-Identifier: Apache-2.0
// Handles SIGHUP: reads settings and tokens again, applies what may change at run time, and logs what requires a
// restart. If anything is invalid, nothing changes.
#pragma once

#include "daemon/settings/load_settings.hpp"
#include "daemon/settings/token_file.hpp"

#include <functional>
#include <string>
#include <vector>

namespace alli::daemon {

/// The keys of the settings that differ, in table order.
std::vector<std::string> changed_settings(const Config& before, const Config& after);

/// Receives the settings to apply, the tokens, and the path of the tokens file.
using Adjust = std::function<void(const Config&, std::vector<proxy::Token> tokens, TokensFile place)>;

/// Main thread. Updates `current` with the applied settings; those that require a restart keep their value, so that the
/// next reload reports them again. The tokens file is beside the mirror unless a setting of a service names it.
void reload_settings(const Context& context, const MirrorLocation& mirror, Config& current, const Adjust& adjust);

} // namespace alli::daemon
