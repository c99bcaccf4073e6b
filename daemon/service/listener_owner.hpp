// SPDX-License-Identifier: Apache-2.0
// Verifies that an address of this machine belongs to the daemon before anything is sent: any user may listen on the
// port while no daemon runs. Reads /proc and the connected socket.
#pragma once

#include "proxy/port_holder.hpp"

#include <set>
#include <string>

namespace alli::daemon {

using Users = std::set<unsigned>;

/// Users whose listening sockets are trusted: root (the service manager), this process's user, the owners of the
/// mirror's directory and of the process that holds the mirror.
Users trusted_users(const std::string& mirror_path, int daemon);

/// Throws Error{refused} unless all listening sockets in `now` belong to trusted users and equal those in `before`,
/// taken before the connection.
void require_trusted(const std::string& address, const proxy::Listeners& before, const proxy::Listeners& now,
                     const Users& trusted);

/// Construct it before connecting, and call require() on the connected socket.
class ListenerOwner {
  public:
    /// `address`: unix:/path, or HOST:PORT of this machine. Throws Error{refused} if an untrusted user already listens
    /// on the port; then do not connect.
    ListenerOwner(std::string address, Users trusted);

    /// Throws Error{refused} that names the listener unless the peer of the connected socket is trusted.
    void require(int socket) const;

  private:
    void require_peer(int socket) const;

    std::string address_;
    Users trusted_;
    proxy::Listeners before_;
};

} // namespace alli::daemon
