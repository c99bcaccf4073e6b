// SPDX-License-Identifier: Apache-2.0
// The effective settings, and checks that their types do not express. Opens no socket and no database.
#pragma once

#include "daemon/settings/settings.hpp"

namespace alli::daemon {

/// Fills in defaults that depend on the environment: mirror.path, proxy.listen.
Config effective_config(const Settings& settings, const Environment& environment);

/// All faults; each names where the setting was made.
std::vector<Error> find_faults(const Settings& settings, const Environment& environment);

/// Throws the first fault that concerns one of these sections ("upstream", "mirror").
void require_sound(const Settings& settings, const Environment& environment,
                   std::initializer_list<std::string_view> sections);

} // namespace alli::daemon
