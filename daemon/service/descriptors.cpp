// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/descriptors.hpp"

#include "alli/error.hpp"
#include "daemon/process/process_figures.hpp"

#include <algorithm>
#include <cstring>
#include <thread>

#include <sys/resource.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

namespace alli::daemon {

void raise_descriptor_limit() noexcept
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit); // where that is refused, it stays as it was
}

int descriptor_limit() noexcept
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
    return static_cast<int>(std::min<rlim_t>(limit.rlim_cur, 1 << 20));
}

int open_descriptors() noexcept
{
    return static_cast<int>(read_process_figures().open_descriptors);
}

DescriptorsAtHand find_descriptors(int upstream, int loops) noexcept
{
    const auto processors = static_cast<int>(std::thread::hardware_concurrency());
    return {descriptor_limit(), open_descriptors(), upstream, processors, loops};
}

DescriptorPlan plan_descriptors(const DescriptorsAtHand& at_hand)
{
    constexpr int a_loop = 10;     // its own, its file in memory, a read connection to each file (two descriptors)
    constexpr int other_reads = 8; // long ones, the engine's
    constexpr int others = 10;     // names looked up, listeners, a file now and then
    constexpr int most_relayed = 64;
    const int wanted = at_hand.loops > 0 ? at_hand.loops : std::clamp(at_hand.processors, 1, usual_loops);
    DescriptorPlan plan;
    plan.loops = std::clamp(at_hand.limit / 64, 1, wanted);
    const int spare = at_hand.limit - at_hand.open - a_loop * plan.loops - other_reads - others - at_hand.upstream;
    plan.relay = std::clamp(spare / 4, 1, most_relayed);
    plan.connections = std::clamp((spare - plan.relay) / 2, 2, most_local_connections);
    return plan;
}

std::vector<int> take_passed_sockets()
{
    const int count = ::sd_listen_fds(1);
    if (count < 0)
        throw Error(Fault::settings, "start it by its socket unit, or without one",
                    "cannot take the passed sockets: {}", std::strerror(-count));
    std::vector<int> sockets;
    for (int fd = SD_LISTEN_FDS_START; fd < SD_LISTEN_FDS_START + count; ++fd) {
        if (::sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
            throw Error(Fault::settings, "a socket unit for this program has ListenStream= lines and Accept=no",
                        "the passed descriptor {} is no socket that takes connections", fd);
        sockets.push_back(fd);
    }
    return sockets;
}

} // namespace alli::daemon
