// SPDX-License-Identifier: Apache-2.0
// Who may listen where a command calls the daemon: real sockets of this process and of another user's.
#include "daemon/service/listener_owner.hpp"

#include "alli/error.hpp"
#include "proxy/listen_address.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include <gmock/gmock.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace alli::daemon {
namespace {

using boost::asio::ip::tcp;
using testing::HasSubstr;
namespace asio = boost::asio;
namespace local = asio::local;

constexpr unsigned stranger = 54'321;
constexpr const char* address = "127.0.0.1:8787";

template <class Does>
std::string refusal_of(Does does)
{
    try {
        does();
        return "";
    } catch (const Error& error) {
        EXPECT_EQ(error.fault(), Fault::refused);
        EXPECT_THAT(error.hint(), HasSubstr("Unix socket"));
        return error.what();
    }
}

proxy::ListeningSocket socket_of(unsigned user, std::uint64_t inode)
{
    return {tcp::endpoint(asio::ip::address_v4::loopback(), 8787), user, inode};
}

std::string refusal_of(const proxy::Listeners& before, const proxy::Listeners& now, const Users& trusted)
{
    return refusal_of([&] { require_trusted(address, before, now, trusted); });
}

TEST(ListenerOwner, IsTrustedOnlyWhereEveryListenerIsRootsOrTheDaemons)
{
    using List = std::vector<proxy::ListeningSocket>;
    const Users trusted{0, 1000};
    const List daemon{socket_of(1000, 1)}, manager{socket_of(0, 1)}, group{socket_of(1000, 1), socket_of(1000, 2)};
    for (const List& good : {daemon, manager, group}) EXPECT_EQ(refusal_of(good, good, trusted), "");
    const List squatter{socket_of(stranger, 1)}, beside{socket_of(1000, 1), socket_of(stranger, 2)};
    for (const List& bad : {squatter, beside})
        EXPECT_THAT(refusal_of(bad, bad, trusted),
                    testing::StartsWith("127.0.0.1:8787 is another user's (number 54321): a process of user 54321 "));
    EXPECT_THAT(refusal_of(squatter, daemon, trusted), HasSubstr("began to listen just now"))
        << "the connection is the former one's";
    EXPECT_THAT(refusal_of(daemon, List{}, trusted), HasSubstr("who listens is not in /proc/net/tcp"));
    EXPECT_THAT(refusal_of(List{}, daemon, trusted), HasSubstr("began to listen just now"));
    EXPECT_THAT(refusal_of(std::nullopt, daemon, trusted), HasSubstr("/proc/net/tcp is not readable"));
    EXPECT_THAT(refusal_of(daemon, std::nullopt, trusted), HasSubstr("/proc/net/tcp is not readable"));
}

TEST(ListenerOwner, IsTheMirrorsOwnerTheDaemonOrThisUser)
{
    const support::TempDir dir;
    EXPECT_EQ(trusted_users(dir / "mirror.db", 999'999'999), (Users{0, ::geteuid()}));
    EXPECT_EQ(trusted_users("/nowhere/mirror.db", 999'999'999), (Users{0, ::geteuid()}));
    EXPECT_EQ(trusted_users("/nowhere/mirror.db", 1), (Users{0, ::geteuid()})) << "process 1 is root's";
    if (::geteuid() != 0) return;
    ASSERT_EQ(::chown(dir.path().c_str(), 4711, 4711), 0);
    EXPECT_EQ(trusted_users(dir / "mirror.db", ::getpid()), (Users{0, 4711}));
}

void connect_and_require(const std::string& listen, const Users& trusted)
{
    const ListenerOwner owner(listen, trusted);
    asio::io_context io;
    asio::generic::stream_protocol::socket socket(io);
    if (listen.starts_with("unix:"))
        socket.connect(local::stream_protocol::endpoint(listen.substr(5)));
    else
        socket.connect(proxy::read_tcp_address(listen));
    owner.require(socket.native_handle());
}

std::string ask(const std::string& listen, const Users& trusted)
{
    return refusal_of([&] { connect_and_require(listen, trusted); });
}

TEST(ListenerOwner, IsFoundForEveryWayToListen)
{
    struct Way {
        const char *bound, *called;
    };
    for (const Way way : {Way{"127.0.0.1", "127.0.0.1:"}, Way{"0.0.0.0", "127.0.0.1:"}, Way{"::1", "[::1]:"},
                          Way{"::", "[::1]:"}, Way{"::", "127.0.0.1:"}}) {
        asio::io_context io;
        tcp::acceptor acceptor(io);
        boost::system::error_code none;
        const tcp::endpoint endpoint(asio::ip::make_address(way.bound), 0);
        acceptor.open(endpoint.protocol(), none);
        if (!none) acceptor.bind(endpoint, none);
        if (none) continue; // no IPv6 here
        acceptor.listen();
        const std::string listen = way.called + std::to_string(acceptor.local_endpoint().port());
        EXPECT_EQ(ask(listen, {::geteuid()}), "") << way.bound;
        EXPECT_THAT(ask(listen, {stranger}), HasSubstr(listen + " is another user's (")) << way.bound;
    }
}

TEST(ListenerOwner, IsFoundForAUnixSocket)
{
    const support::TempDir dir;
    asio::io_context io;
    const local::stream_protocol::acceptor acceptor(io, local::stream_protocol::endpoint(dir / "x.sock"));
    EXPECT_EQ(ask("unix:" + (dir / "x.sock"), {::geteuid()}), "");
    EXPECT_THAT(ask("unix:" + (dir / "x.sock"), {stranger}),
                testing::ContainsRegex("x.sock is another user's \\(.+\\): process " + std::to_string(::getpid())));
}

/// A process of another user that listens until it is told to end.
class Squatter {
  public:
    template <class Listen>
    explicit Squatter(Listen listen)
    {
        int ready[2] = {}, hold[2] = {};
        if (::pipe2(ready, O_CLOEXEC) != 0 || ::pipe2(hold, O_CLOEXEC) != 0) return;
        child_ = ::fork();
        if (child_ == 0) {
            ::close(hold[1]);
            char byte = 0;
            const bool good = ::setgid(stranger) == 0 && ::setuid(stranger) == 0 && listen(ready[1]);
            if (good) [[maybe_unused]]
                const auto ended = ::read(hold[0], &byte, 1);
            ::_exit(0);
        }
        ::close(ready[1]);
        ::close(hold[0]);
        hold_ = hold[1];
        if (::read(ready[0], &port, sizeof port) != sizeof port) port = 0;
        ::close(ready[0]);
    }
    Squatter(const Squatter&) = delete;
    Squatter& operator=(const Squatter&) = delete;
    ~Squatter()
    {
        ::close(hold_);
        ::waitpid(child_, nullptr, 0);
    }

    std::uint16_t port = 0;

  private:
    pid_t child_ = -1;
    int hold_ = -1;
};

TEST(ListenerOwner, AnotherUsersProcessIsNamedAndRefusedWhereTheTestIsRoot)
{
    if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
    const support::TempDir dir;
    ASSERT_EQ(::chmod(dir.path().c_str(), 0777), 0);
    const std::string path = dir / "x.sock";
    const Squatter squatter([&](int ready) {
        asio::io_context io;
        tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        local::stream_protocol::acceptor file(io, local::stream_protocol::endpoint(path));
        const std::uint16_t port = acceptor.local_endpoint().port();
        const bool told = ::write(ready, &port, sizeof port) == sizeof port;
        acceptor.release();
        file.release();
        return told;
    });
    ASSERT_NE(squatter.port, 0);
    const Users trusted = trusted_users("/nowhere/mirror.db", ::getpid());
    const std::string listen = "127.0.0.1:" + std::to_string(squatter.port);
    EXPECT_THAT(ask(listen, trusted),
                testing::MatchesRegex(".* is another user's \\(number 54321\\): process [0-9]+ \\(daemon_test\\) "
                                      "listens there, nothing is sent to it"));
    EXPECT_THAT(ask("unix:" + path, trusted), HasSubstr("x.sock is another user's (number 54321): process "));
}

} // namespace
} // namespace alli::daemon
