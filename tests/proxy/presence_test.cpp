// SPDX-License-Identifier: Apache-2.0
#include "proxy/presence.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include <gtest/gtest.h>

namespace alli::proxy {
namespace {

TEST(Presence, SeesThatThePeerLeft)
{
    asio::io_context loop;
    asio::local::stream_protocol::socket ours(loop), theirs(loop);
    asio::local::connect_pair(ours, theirs);
    Socket socket(std::move(ours));
    EXPECT_EQ(look_at(socket), Presence::here);
    asio::write(theirs, asio::buffer("sent ahead", 10));
    EXPECT_EQ(look_at(socket), Presence::here);
    theirs.shutdown(asio::socket_base::shutdown_send);
    EXPECT_EQ(look_at(socket), Presence::silent);
    ask_whether_here(socket);
    EXPECT_EQ(look_at(socket), Presence::silent);
    theirs.close();
    EXPECT_EQ(look_at(socket), Presence::gone) << "bytes that nobody read hide it from those who only read";
}

} // namespace
} // namespace alli::proxy
