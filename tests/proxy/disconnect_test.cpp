// SPDX-License-Identifier: Apache-2.0
#include "proxy/disconnect.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include <gtest/gtest.h>

namespace alli::proxy {
namespace {

TEST(PeerState, SeesThatThePeerLeft)
{
    asio::io_context loop;
    asio::local::stream_protocol::socket ours(loop), theirs(loop);
    asio::local::connect_pair(ours, theirs);
    Socket socket(std::move(ours));
    EXPECT_EQ(look_at(socket), PeerState::here);
    asio::write(theirs, asio::buffer("sent ahead", 10));
    EXPECT_EQ(look_at(socket), PeerState::here);
    theirs.shutdown(asio::socket_base::shutdown_send);
    EXPECT_EQ(look_at(socket), PeerState::silent);
    probe_peer(socket);
    EXPECT_EQ(look_at(socket), PeerState::silent);
    theirs.close();
    EXPECT_EQ(look_at(socket), PeerState::gone) << "bytes that nobody read hide it from those who only read";
}

} // namespace
} // namespace alli::proxy
