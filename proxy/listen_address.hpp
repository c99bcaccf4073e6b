// SPDX-License-Identifier: Apache-2.0
// An address to listen on, as it is written: HOST:PORT, [IPv6]:PORT or unix:/path. Pure.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <string>
#include <string_view>

namespace alli::proxy {

constexpr std::string_view unix_prefix = "unix:";

/// Throws Error{settings} that says what is wrong with it, and what to write.
boost::asio::ip::tcp::endpoint read_tcp_address(const std::string& address);
std::string read_socket_path(const std::string& address);

/// "{address}: {why}", with how an address is written.
[[noreturn]] void refuse_address(const std::string& address, std::string_view why);

} // namespace alli::proxy
