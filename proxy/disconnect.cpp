// SPDX-License-Identifier: Apache-2.0
#include "proxy/disconnect.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <string_view>

namespace alli::proxy {

PeerState look_at(Socket& socket) noexcept
{
    pollfd asked{socket.native_handle(), POLLRDHUP, 0};
    if (::poll(&asked, 1, 0) <= 0) return PeerState::here;
    return asked.revents & (POLLHUP | POLLERR | POLLNVAL) ? PeerState::gone : PeerState::silent;
}

void probe_peer(Socket& socket) noexcept
{
    constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
    // What comes of it is seen at the next look.
    static_cast<void>(::send(socket.native_handle(), interim.data(), interim.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
}

} // namespace alli::proxy
