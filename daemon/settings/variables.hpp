// SPDX-License-Identifier: Apache-2.0
// Environment variables with the program's prefix: the known ones, and errors for unknown ones.
#pragma once

#include "daemon/settings/settings.hpp"

namespace alli::daemon {

/// The names of this process's variables that begin with ALLI_MIRROR_.
std::vector<std::string> process_variables();

/// None for a known variable, and for one that a container platform sets for a service of that name; else
/// Error{settings} that names the most similar one.
std::optional<Error> find_unknown_variable(const std::string& name, const Environment& environment);

} // namespace alli::daemon
