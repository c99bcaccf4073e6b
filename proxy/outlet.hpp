// SPDX-License-Identifier: Apache-2.0
// The writing half of a connection: answers, whole or piece by piece, for as long as the peer takes them. What breaks
// off never looks complete to the peer. Lives on the connection's loop; its deadline is looked at by that loop's tick.
#pragma once

#include "proxy/answer.hpp"
#include "proxy/presence.hpp"

#include <boost/asio/buffer.hpp>

#include <array>
#include <chrono>
#include <optional>

namespace alli::proxy {

class Outlet {
  public:
    using Steady = std::chrono::steady_clock::time_point;
    using Parts = std::array<asio::const_buffer, 3>;

    /// `stall`: how long the peer may take nothing.
    Outlet(Socket& socket, std::chrono::milliseconds stall) : socket_(socket), stall_(stall) {}

    /// False: the connection is of no more use, since the answer said so or could not be given whole.
    Task<bool> send(Response response, Manner manner);
    /// False: the peer is gone, or took nothing for too long.
    Task<bool> write(Parts parts);

    bool streams() const noexcept { return source_ != nullptr; }
    /// A source that has no end is to end.
    void wind_up();
    /// Ends a wait that is overdue.
    void check(Steady now);

  private:
    class Pieces;
    struct Streaming;
    Task<bool> stream(Response response, Framing framing, std::string head);
    Task<bool> write_pieces(Pieces& pieces);
    void break_off(Framing framing);

    Socket& socket_;
    std::chrono::milliseconds stall_;
    std::optional<Steady> deadline_;
    Source* source_ = nullptr; // of the answer being written
};

} // namespace alli::proxy
