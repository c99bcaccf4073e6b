// SPDX-License-Identifier: Apache-2.0
// The connection's socket.
#pragma once

#include "alli/task.hpp"

#include <boost/asio/generic/stream_protocol.hpp>

namespace alli::http {

using Socket = asio::generic::stream_protocol::socket; // TCP and Unix alike

} // namespace alli::http
