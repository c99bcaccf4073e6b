// SPDX-License-Identifier: Apache-2.0
// The kernel's tables of TCP sockets (/proc/net/tcp and tcp6): which listening socket takes a connection, and whose it
// is. Pure: text in, sockets out.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace alli::proxy {

struct ListeningSocket {
    boost::asio::ip::tcp::endpoint endpoint;
    unsigned user = 0; // who opened it
    std::uint64_t inode = 0;
    bool operator==(const ListeningSocket&) const = default;
};

/// The listening sockets of a table; lines of any other kind are skipped.
std::vector<ListeningSocket> read_listeners(const std::string& table);

/// True if the kernel may hand it a connection to `endpoint`: bound to that address or to all of its family; [::]
/// counts for IPv4 too, because the table does not say whether it is limited to IPv6. An unspecified `endpoint` stands
/// for every address with its port.
bool may_take(const ListeningSocket& socket, const boost::asio::ip::tcp::endpoint& endpoint);

} // namespace alli::proxy
