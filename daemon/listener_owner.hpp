// SPDX-License-Identifier: Apache-2.0
// Proves before anything is sent that an address of this machine is the daemon's: the port may be anybody's while no
// daemon listens there. Reads /proc and the connected socket.
#pragma once

#include "proxy/port_holder.hpp"

#include <set>
#include <string>

namespace alli::daemon {

using Users = std::set<unsigned>;

/// Whose listening sockets are trusted: root's (a service manager opened it), this process's own user's, those of the
/// owner of the mirror's directory and of the process that holds the mirror.
Users trusted_users(const std::string& mirror_path, int daemon);

/// Throws Error{refused} unless `now` are listening sockets of these users alone, the same as `before` the connection.
void require_trusted(const std::string& address, const proxy::Listeners& before, const proxy::Listeners& now,
                     const Users& trusted);

/// Made before the connection, asked after it.
class ListenerOwner {
  public:
    /// unix:/path, or HOST:PORT of this machine. Throws Error{refused} where somebody else listens on the port already:
    /// then there is not even a connection.
    ListenerOwner(std::string address, Users trusted);

    /// Of a connected socket: throws Error{refused} that names who listens, unless they are to be trusted.
    void require(int socket) const;

  private:
    void require_peer(int socket) const;

    std::string address_;
    Users trusted_;
    proxy::Listeners before_;
};

} // namespace alli::daemon
