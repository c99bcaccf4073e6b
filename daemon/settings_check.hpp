// SPDX-License-Identifier: Apache-2.0
// The settings as they take effect, and whether each can be used: what a type does not say. Opens no socket and no
// database.
#pragma once

#include "daemon/settings.hpp"

namespace alli::daemon {

/// With the places filled in that depend on the environment: mirror.path, proxy.listen.
Config effective_config(const Settings& settings, const Environment& environment);

/// What cannot be used of them: each fault names where the setting was made.
std::vector<Error> find_faults(const Settings& settings, const Environment& environment);

/// Throws the first of those faults that concerns one of these sections ("upstream", "mirror").
void require_sound(const Settings& settings, const Environment& environment,
                   std::initializer_list<std::string_view> sections);

} // namespace alli::daemon
