// SPDX-License-Identifier: Apache-2.0
// File descriptors of this process: the limit, how they are divided, and the sockets passed by the service manager.
#pragma once

#include <vector>

namespace alli::daemon {

/// Raises the soft limit to the hard limit: each connection takes a descriptor, and the usual soft limit is 1024.
void raise_descriptor_limit() noexcept;

int descriptor_limit() noexcept; // as it is now
int open_descriptors() noexcept; // of this process

/// How the descriptors are divided: files and upstream first, then local connections. Evicted connections may not have
/// closed yet, so twice the number of connections fits.
struct DescriptorPlan {
    int loops = 1;       // of the proxy
    int relay = 1;       // connections to upstream for what is passed on
    int connections = 1; // of local apps
};
struct DescriptorsAtHand {
    int limit = 0, open = 0, upstream = 0; // open: before the proxy begins; upstream: upstream.max_connections
    int processors = 1;
    int loops = 0; // proxy.loops; 0: one a processor, at most usual_loops
};
/// Inputs for plan_descriptors(), measured in this process.
DescriptorsAtHand find_descriptors(int upstream, int loops) noexcept;
inline constexpr int most_local_connections = 1024;
inline constexpr int usual_loops = 8; // a loop answers some ten thousand reads a second, from one database
DescriptorPlan plan_descriptors(const DescriptorsAtHand& at_hand);

/// Takes over the listening sockets of a socket unit (sd_listen_fds(3)), once. Empty if there are none. Throws
/// Error{settings} for a descriptor that is not a listening stream socket.
std::vector<int> take_passed_sockets();

} // namespace alli::daemon
