// SPDX-License-Identifier: Apache-2.0
// A command's side of maintenance: the daemon does it where one owns the mirror, over its Unix socket, else over an
// address with the key; without one it is done here, under the lock.
#pragma once

#include "daemon/load_settings.hpp"
#include "daemon/maintenance.hpp"
#include "daemon/places.hpp"

namespace alli::daemon {

/// Returns the result of the task; progress is shown on a terminal. Throws what the task throws, or what call_daemon()
/// throws.
Json maintain(const Context& context, const ReadPlace& place, const Json& request);

} // namespace alli::daemon
