// SPDX-License-Identifier: Apache-2.0
// Who listens on a TCP port of this machine, read off /proc: for the message that it is taken, and before a key is sent
// there. Looks at no connection.
#pragma once

#include "proxy/port_table.hpp"

#include <optional>
#include <string>
#include <vector>

namespace alli::proxy {

/// Every listening socket that may take a connection to that endpoint; nullopt: /proc does not tell.
using Listeners = std::optional<std::vector<ListeningSocket>>;
Listeners find_listeners(const boost::asio::ip::tcp::endpoint& endpoint);

/// "process 4711 (nginx)"; "a process of user 33" where its descriptors cannot be seen.
std::string describe_holder(const ListeningSocket& socket);

/// The same of the first of them; empty: nobody is found, or /proc does not tell.
std::string find_port_holder(const boost::asio::ip::tcp::endpoint& endpoint);

/// "process 4711 (nginx)" of a process that is known; of one that cannot be looked at without its name.
std::string describe_process(int process);

} // namespace alli::proxy
