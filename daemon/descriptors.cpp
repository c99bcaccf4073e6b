// SPDX-License-Identifier: Apache-2.0
#include "daemon/descriptors.hpp"

#include "alli/error.hpp"

#include <cstring>
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
