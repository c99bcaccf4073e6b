// SPDX-License-Identifier: Apache-2.0
// Who comes over a Unix socket: our own user and root, members of the service's group, and everybody else. Needs root,
// to be somebody else.
#include "proxy/access/grant.hpp"
#include "proxy/access/guard.hpp"
#include "proxy/listener.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace alli::proxy {
namespace {

constexpr ::uid_t somebody = 65533;
constexpr ::gid_t service_group = 65001, other_group = 65002;

class GroupTest : public testing::Test {
  protected:
    void SetUp() override
    {
        if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
        ::chmod(directory.path().c_str(), 0755);
        options.group = service_group;
        options.api_key = "key";
        listener.emplace(listen_on(io, "unix:" + directory / "proxy.sock", options));
        ::chown((directory / "proxy.sock").c_str(), static_cast<::uid_t>(-1), service_group); // as its process has it
    }
    void TearDown() override
    {
        if (listener) close(*listener);
    }

    /// The peer that a process of that user and those groups is; none: it could not connect.
    std::optional<Peer> connect_as(::uid_t user, ::gid_t group, std::vector<::gid_t> others)
    {
        const std::string path = directory / "proxy.sock";
        const int child = ::fork();
        if (child == 0) {
            ::sockaddr_un address{};
            address.sun_family = AF_UNIX;
            path.copy(address.sun_path, sizeof address.sun_path - 1);
            const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
            if (::setgroups(others.size(), others.data()) != 0 || ::setgid(group) != 0 || ::setuid(user) != 0)
                ::_exit(2);
            ::_exit(::connect(socket, reinterpret_cast<const ::sockaddr*>(&address), sizeof address) == 0 ? 0 : 1);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        EXPECT_NE(WEXITSTATUS(status), 2);
        if (WEXITSTATUS(status) != 0) return std::nullopt;
        http::Socket socket(io);
        listener->acceptor.accept(socket);
        return identify(*listener, socket.native_handle());
    }

    std::string principal_of_peer(const Peer& peer) const
    {
        http::RequestHead head;
        head.method = "GET", head.target = "/mirror/v1/status";
        head.headers.add("Host", "localhost");
        const Decision decision = Guard(options).check(head, peer, Instant{});
        if (std::holds_alternative<Refusal>(decision)) return "";
        const Principal& who = std::get<std::shared_ptr<const Grant>>(decision)->principal();
        return who.name + " " + std::string(name_of(who.scope));
    }

    support::TempDir directory;
    asio::io_context io;
    Options options;
    std::optional<Listener> listener;
};

TEST_F(GroupTest, MembersMayWriteAndTheOwnerAndRootEverything)
{
    struct stat status = {};
    ASSERT_EQ(::stat((directory / "proxy.sock").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0660U);
    const auto member = connect_as(somebody, other_group, {service_group}); // by a group beside its own
    ASSERT_TRUE(member);
    EXPECT_TRUE(member->member && !member->trusted);
    EXPECT_EQ(principal_of_peer(*member), "group write");
    const auto primary = connect_as(somebody, service_group, {});
    ASSERT_TRUE(primary);
    EXPECT_EQ(principal_of_peer(*primary), "group write");
    const auto root = connect_as(0, 0, {});
    ASSERT_TRUE(root);
    EXPECT_EQ(principal_of_peer(*root), "socket admin");
}

TEST_F(GroupTest, NobodyElseGetsIn)
{
    EXPECT_FALSE(connect_as(somebody, other_group, {})) << "the socket's mode keeps him out";
    ::chmod((directory / "proxy.sock").c_str(), 0666); // somebody loosened it
    const auto stranger = connect_as(somebody, other_group, {});
    ASSERT_TRUE(stranger);
    EXPECT_FALSE(stranger->member || stranger->trusted);
    EXPECT_EQ(principal_of_peer(*stranger), "") << "a key is needed, as by TCP";
}

TEST_F(GroupTest, WithoutAServiceGroupTheSocketIsForItsUserAlone)
{
    close(*listener);
    options.group.reset();
    listener.emplace(listen_on(io, "unix:" + directory / "proxy.sock", options));
    struct stat status = {};
    ASSERT_EQ(::stat((directory / "proxy.sock").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    ::chmod((directory / "proxy.sock").c_str(), 0666);
    const auto member = connect_as(somebody, service_group, {});
    ASSERT_TRUE(member);
    EXPECT_FALSE(member->member);
}

} // namespace
} // namespace alli::proxy
