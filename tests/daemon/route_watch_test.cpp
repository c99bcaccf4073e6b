// SPDX-License-Identifier: Apache-2.0
// Changes of addresses and routes, as the kernel tells them, and a daemon that may not hear of them.
#include "daemon/service/route_watch.hpp"
#include "tests/daemon/daemon.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cstddef>
#include <unistd.h>

namespace alli::daemon {
namespace {

using namespace std::chrono_literals;

class RouteWatchTest : public testing::Test {
  protected:
    RouteWatchTest() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair_), 0); }
    ~RouteWatchTest() override { ::close(pair_[1]); }

    void say(std::uint16_t type)
    {
        nlmsghdr message{};
        message.nlmsg_len = NLMSG_LENGTH(0);
        message.nlmsg_type = type;
        ASSERT_EQ(::send(pair_[1], &message, message.nlmsg_len, 0), static_cast<ssize_t>(message.nlmsg_len));
    }

    void run_until_told(std::size_t times)
    {
        const auto until = std::chrono::steady_clock::now() + 5s;
        while (told_.size() < times && loop_.run_one_until(until) > 0) {
        }
        loop_.run_for(500ms); // and no more
    }

    int pair_[2]{-1, -1};
    asio::io_context loop_;
    std::vector<bool> told_; // each time: whether something was lost
    RouteWatch watch_{loop_.get_executor(), [this](bool lost) { told_.push_back(lost); }};
};

TEST_F(RouteWatchTest, TellsOfABurstOfChangesOnce)
{
    watch_.start(pair_[0]);
    for (const std::uint16_t type : {RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE, RTM_NEWROUTE}) say(type);
    run_until_told(1);
    EXPECT_EQ(told_, std::vector<bool>{false});
    for (const std::uint16_t type : {RTM_NEWROUTE, RTM_DELADDR}) say(type);
    run_until_told(2);
    EXPECT_EQ(told_, (std::vector<bool>{false, true}));
    watch_.stop();
    loop_.run_for(100ms);
}

TEST_F(RouteWatchTest, TellsOfNothingElse)
{
    watch_.start(pair_[0]);
    for (const int type : std::array<int, 3>{NLMSG_DONE, NLMSG_NOOP, RTM_NEWNEIGH})
        say(static_cast<std::uint16_t>(type));
    ASSERT_EQ(::send(pair_[1], "\x01", 1, 0), 1); // no message at all
    loop_.run_for(800ms);
    EXPECT_TRUE(told_.empty());
    watch_.stop();
    loop_.run_for(100ms);
}

TEST_F(RouteWatchTest, HasASocketOfTheKernels)
{
    const int descriptor = RouteWatch::open_socket();
    if (descriptor < 0) GTEST_SKIP() << "this machine has no netlink";
    watch_.start(descriptor);
    loop_.run_for(50ms);
    watch_.stop();
    loop_.run_for(50ms);
    ::close(pair_[0]);
}

TEST_F(RouteWatchTest, GoesOnWhereThereIsNone)
{
    errno = EAFNOSUPPORT;
    watch_.start(-1);
    loop_.run_for(50ms);
    EXPECT_TRUE(told_.empty());
    watch_.stop();
    ::close(pair_[0]);
}

// As the unit's RestrictAddressFamilies does it: of this thread and whatever it starts.
bool forbid_netlink()
{
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) == 0;
}

TEST(RouteWatch, IsNotNeededByADaemonThatMayNotHaveIt)
{
    std::thread filtered([] {
        if (!forbid_netlink()) GTEST_SKIP() << "no filter of system calls here";
        ASSERT_EQ(RouteWatch::open_socket(), -1);
        const Home home;
        Daemon daemon(home, {"serve", "--sandbox", "--conversations", "5"});
        daemon.wait_until_complete();
        EXPECT_EQ(daemon.stop(), 0);
    });
    filtered.join();
}

} // namespace
} // namespace alli::daemon
