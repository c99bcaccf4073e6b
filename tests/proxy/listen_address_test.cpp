// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "proxy/listen_address.hpp"
#include "proxy/port_holder.hpp"

#include <boost/asio/io_context.hpp>

#include <gmock/gmock.h>

#include <unistd.h>

namespace alli::proxy {
namespace {

using boost::asio::ip::tcp;
using testing::HasSubstr;
namespace asio = boost::asio;

TEST(ListenAddress, IsAnAddressOfThisMachineAndAPort)
{
    EXPECT_EQ(read_tcp_address("127.0.0.1:8787"), tcp::endpoint(asio::ip::make_address("127.0.0.1"), 8787));
    EXPECT_EQ(read_tcp_address("localhost:0"), tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
    EXPECT_EQ(read_tcp_address("[::1]:65535"), tcp::endpoint(asio::ip::make_address("::1"), 65535));
    EXPECT_EQ(read_tcp_address("0.0.0.0:80"), tcp::endpoint(asio::ip::make_address("0.0.0.0"), 80));
    EXPECT_EQ(read_socket_path("unix:/run/x.sock"), "/run/x.sock");
}

TEST(ListenAddress, SaysWhatIsWrongWithAnother)
{
    struct Case {
        const char *address, *said;
    };
    const Case cases[] = {
        {"8787", "there is no host before the port"},
        {":8787", "there is no host before the port"},
        {"127.0.0.1", "there is no port"},
        {"[::1]", "there is no port"},
        {"localhost", "there is no port"},
        {"", "there is no port"},
        {"127.0.0.1:", "the port is no number from 0 to 65535"},
        {"127.0.0.1:http", "the port is no number"},
        {"127.0.0.1:65536", "the port is no number"},
        {"127.0.0.1:-1", "the port is no number"},
        {"127.0.0.1:+1", "the port is no number"},
        {"127.0.0.1:87 87", "there is a blank in it"},
        {" 127.0.0.1:8787", "there is a blank in it"},
        {"http://127.0.0.1:8787", "this is a URL"},
        {"/run/x.sock", "a socket is written unix:/path"},
        {"./x.sock", "a socket is written unix:/path"},
        {"::1:8787", "an IPv6 address stands in brackets: [::1]:8787"},
        {"::1", "an IPv6 address stands in brackets"},
        {"*:8787", "* is no address"},
        {"[127.0.0.1]:8787", "no IPv6 address"},
        {"[::1]x:8787", "no IPv6 address"},
        {"[::1:8787", "in brackets"},
        {"myhost:8787", "the host is no address: names are not looked up"},
        {"127.0.0.256:8787", "the host is no address"},
        {"127.1:8787", "the host is no address"},
    };
    for (const Case& one : cases) try {
            read_tcp_address(one.address);
            ADD_FAILURE() << one.address;
        } catch (const Error& error) {
            EXPECT_EQ(error.fault(), Fault::settings);
            EXPECT_THAT(error.what(), HasSubstr(one.said)) << one.address;
            EXPECT_THAT(error.hint(), HasSubstr("127.0.0.1:8787"));
        }
    EXPECT_THROW(read_socket_path("unix:"), Error);
    EXPECT_THROW(read_socket_path("unix:/" + std::string(107, 'x')), Error);
}

TEST(PortHolder, IsFoundByWhereItListens)
{
    asio::io_context io;
    const std::string self = "process " + std::to_string(::getpid()) + " (";
    for (const char* host : {"127.0.0.1", "0.0.0.0", "::1"}) {
        boost::system::error_code none;
        tcp::acceptor acceptor(io);
        acceptor.open(tcp::endpoint(asio::ip::make_address(host), 0).protocol(), none);
        acceptor.bind(tcp::endpoint(asio::ip::make_address(host), 0), none);
        if (none) continue; // no IPv6 here
        EXPECT_EQ(find_port_holder(acceptor.local_endpoint()), "") << "bound, and does not listen";
        acceptor.listen();
        EXPECT_THAT(find_port_holder(acceptor.local_endpoint()), testing::StartsWith(self)) << host;
        const auto port = acceptor.local_endpoint().port();
        const bool everywhere = acceptor.local_endpoint().address().is_unspecified();
        EXPECT_EQ(find_port_holder({asio::ip::make_address("127.0.0.2"), port}).empty(), !everywhere) << host;
    }
}

TEST(PortHolder, IsOfTheUserThatOpenedIt)
{
    if (::geteuid() != 0) GTEST_SKIP() << "only root can open a socket as another user";
    asio::io_context io;
    ASSERT_EQ(::seteuid(54'321), 0);
    const tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    ASSERT_EQ(::seteuid(0), 0);
    const Listeners listeners = find_listeners(acceptor.local_endpoint());
    ASSERT_TRUE(listeners && listeners->size() == 1);
    EXPECT_EQ(listeners->front().user, 54'321U);
}

TEST(PortHolder, HasTheNameOfItsProcess)
{
    EXPECT_THAT(describe_process(::getpid()), testing::MatchesRegex("process [0-9]+ \\(.+\\)"));
    EXPECT_EQ(describe_process(999'999'999), "process 999999999");
}

} // namespace
} // namespace alli::proxy
