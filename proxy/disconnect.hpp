// SPDX-License-Identifier: Apache-2.0
// Whether the other end of a connection is still there while nothing is read from it. Any thread.
#pragma once

#include "http/socket.hpp"

namespace alli::proxy {

using http::Socket;

/// Silent: it sends no more. Over a Unix socket it still reads then; over TCP that cannot be told from one that left.
enum class PeerState { here, silent, gone };

/// As the system knows it now: bytes that nobody read yet do not hide it.
PeerState look_at(Socket& socket) noexcept;

/// Says "100 Continue", which every client of HTTP/1.1 passes over before its answer, and which makes the system of one
/// that left say so. Never waits. Only before an answer.
void probe_peer(Socket& socket) noexcept;

} // namespace alli::proxy
