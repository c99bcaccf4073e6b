// SPDX-License-Identifier: Apache-2.0
// Descriptors of this process: how many it may have, and those that the service manager hands over.
#pragma once

#include <vector>

namespace alli::daemon {

/// As many as the system allows: every connection is one, and the usual soft limit is 1024.
void raise_descriptor_limit() noexcept;

int descriptor_limit() noexcept; // as it is now
int open_descriptors() noexcept; // of this process

/// How the descriptors that there are, are shared out: the files and upstream first, then local apps. At twice its
/// connections (those told to make room have not closed yet) nothing runs out.
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
/// Of this process, with these settings.
DescriptorsAtHand find_descriptors(int upstream, int loops) noexcept;
inline constexpr int most_local_connections = 1024;
inline constexpr int usual_loops = 8; // a loop answers some ten thousand reads a second, from one database
DescriptorPlan plan_descriptors(const DescriptorsAtHand& at_hand);

/// Listening sockets of a socket unit (sd_listen_fds(3)); empty: there is none. They are ours from now on, once. Throws
/// Error{settings} for one that takes no connections.
std::vector<int> take_passed_sockets();

} // namespace alli::daemon
