// SPDX-License-Identifier: Apache-2.0
// The environment variables that bear the program's name: which it reads, and which nobody does.
#pragma once

#include "daemon/settings.hpp"

namespace alli::daemon {

/// The names of this process's variables that begin with ALLI_MIRROR_.
std::vector<std::string> process_variables();

/// None for one that the program reads, and for what a container platform sets for a service of that name; else an
/// Error{settings} with the nearest name that there is.
std::optional<Error> find_unknown_variable(const std::string& name, const Environment& environment);

} // namespace alli::daemon
