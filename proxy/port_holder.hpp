// SPDX-License-Identifier: Apache-2.0
// Who listens on a TCP port of this machine, read off /proc: for the message that it is taken. Looks at no connection.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include <optional>
#include <string>

namespace alli::proxy {

/// "process 4711 (nginx)"; "a process of user 33" where its descriptors cannot be seen; empty: nobody is found, or
/// /proc does not tell.
std::string find_port_holder(const boost::asio::ip::tcp::endpoint& endpoint);

/// The user whose socket it is; none: nobody listens there.
std::optional<unsigned> find_port_user(const boost::asio::ip::tcp::endpoint& endpoint);

/// "process 4711 (nginx)" of a process that is known; of one that cannot be looked at without its name.
std::string describe_process(int process);

} // namespace alli::proxy
