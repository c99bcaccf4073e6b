// SPDX-License-Identifier: Apache-2.0
// The writing side of a connection: responses, whole or piece by piece, for as long as the peer takes them. A body that
// breaks off never looks complete to the peer. Lives on the connection's loop, whose tick calls check(), and on a
// thread that blocks or ignores SIGPIPE, which sendfile raises where the peer has left.
#pragma once

#include "http/deadline.hpp"
#include "http/response.hpp"
#include "http/socket.hpp"

#include <boost/asio/buffer.hpp>

#include <array>
#include <chrono>

namespace alli::http {

class ResponseWriter {
  public:
    using Parts = std::array<asio::const_buffer, 3>;

    /// `stall`: how long the peer may take nothing.
    ResponseWriter(Socket& socket, std::chrono::milliseconds stall) : socket_(socket), stall_(stall) {}

    /// False: the connection cannot be used again; the response said so, or was not sent whole.
    Task<bool> send(Response response, WriteOptions options);
    /// False: the peer is gone, or took nothing for too long.
    Task<bool> write(Parts parts);

    bool streams() const noexcept { return source_ != nullptr; }
    /// Asks an endless source to end.
    void wind_up();
    /// Cancels a write that is overdue.
    void check(Deadline::Steady now);

  private:
    class BodyFramer;
    struct Streaming;
    Task<bool> stream(Response response, Framing framing, std::string head);
    Task<bool> write_pieces(BodyFramer& framer);
    Task<bool> write_whole(Parts parts, bool more_follows);
    Task<bool> write_extent(const MemoryFile::Extent& extent);
    Task<bool> wait_until_writable();
    void break_off(Framing framing);

    Socket& socket_;
    std::chrono::milliseconds stall_;
    Deadline deadline_;
    Source* source_ = nullptr; // of the response being written
};

} // namespace alli::http
