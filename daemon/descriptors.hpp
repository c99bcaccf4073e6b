// SPDX-License-Identifier: Apache-2.0
// Descriptors of this process: how many it may have, and those that the service manager hands over.
#pragma once

#include <vector>

namespace alli::daemon {

/// As many as the system allows: every connection is one, and the usual soft limit is 1024.
void raise_descriptor_limit() noexcept;

/// Listening sockets of a socket unit (sd_listen_fds(3)); empty: there is none. They are ours from now on, once. Throws
/// Error{settings} for one that takes no connections.
std::vector<int> take_passed_sockets();

} // namespace alli::daemon
