// SPDX-License-Identifier: Apache-2.0
// Finds the daemon that holds the mirror's lock, without touching the lock.
#pragma once

#include <optional>
#include <string>

namespace alli::daemon {

/// Of a service whose directory this user may not look into, while it has a socket: it runs, or is started by a call.
inline constexpr int hidden_owner = 0;

/// The process id of the owner of the mirror in that directory. None if nobody owns it or it cannot be determined.
std::optional<int> find_owner(const std::string& mirror_path);

} // namespace alli::daemon
