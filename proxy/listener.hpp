// SPDX-License-Identifier: Apache-2.0
// An address to listen on: checked, bound, its socket file in its place. TCP and Unix sockets alike.
#pragma once

#include "proxy/access/guard.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include <string>

namespace alli::proxy {

using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

struct Listener {
    Acceptor acceptor;
    std::string address;                               // with the port the system chose
    std::string path;                                  // of a socket file; empty for TCP
    Peer peer;                                         // what is known of everyone who calls here
    bool passed = false;                               // opened by somebody else, who keeps its file
    std::optional<std::uint32_t> group = std::nullopt; // of a Unix socket: whose members may call
};

/// Throws Error{settings} for an address that is none or must not be used, Error{busy} when somebody listens there.
Listener listen_on(asio::io_context& io, const std::string& address, const Options& options);

/// The same of a socket that listens already. Throws Error{settings} likewise.
Listener adopt_listener(asio::io_context& io, int socket, const Options& options);

/// The first half of listen_on(): whether it is an address, and may be used. Throws Error{settings}.
void check_address(const std::string& address, const Options& options);

/// Stops listening and removes the socket file.
void close(Listener& listener) noexcept;

/// The peer of a connection: over a Unix socket, trusted when it is our own user or root (SO_PEERCRED), a member when
/// it is in the listener's group (SO_PEERGROUPS).
Peer identify(const Listener& listener, int socket) noexcept;

} // namespace alli::proxy
