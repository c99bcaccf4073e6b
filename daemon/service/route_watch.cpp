// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/route_watch.hpp"

#include "alli/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <unistd.h>

namespace alli::daemon {
namespace {

constexpr std::chrono::milliseconds burst{300}; // an interface that comes up changes a dozen things

bool is_change(int type)
{
    return type == RTM_NEWADDR || type == RTM_DELADDR || type == RTM_NEWROUTE || type == RTM_DELROUTE ||
           type == RTM_NEWLINK || type == RTM_DELLINK;
}

bool is_loss(int type)
{
    return type == RTM_DELADDR || type == RTM_DELROUTE || type == RTM_DELLINK;
}

} // namespace

RouteWatch::RouteWatch(asio::any_io_executor loop, std::function<void(bool)> changed)
    : socket_(loop), settle_(loop), changed_(std::move(changed))
{}

int RouteWatch::open_socket()
{
    const int descriptor = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (descriptor < 0) return -1;
    sockaddr_nl groups{};
    groups.nl_family = AF_NETLINK;
    groups.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE;
    if (::bind(descriptor, reinterpret_cast<const sockaddr*>(&groups), sizeof groups) == 0) return descriptor;
    const int why = errno;
    ::close(descriptor);
    errno = why;
    return -1;
}

void RouteWatch::start()
{
    start(open_socket());
}

void RouteWatch::start(int descriptor)
{
    if (descriptor < 0) {
        log_event<Event::no_socket>(fmt::format("changes of the network are not heard of ({}); upstream is tried at "
                                                "its usual pauses",
                                                std::generic_category().message(errno)));
        return;
    }
    socket_.assign(descriptor);
    asio::co_spawn(socket_.get_executor(), listen(), asio::detached);
}

void RouteWatch::stop()
{
    boost::system::error_code ignored; // it may not be open
    socket_.close(ignored);
    settle_.cancel();
}

// Drains the socket. False if nothing was a relevant change. Only messages of the kernel count; an overflow counts as a
// change.
bool RouteWatch::take_messages(bool& lost)
{
    alignas(nlmsghdr) std::array<char, 16 * 1024> buffer;
    bool changed = false;
    for (;;) {
        sockaddr_nl from{};
        socklen_t size = sizeof from;
        const auto got = ::recvfrom(socket_.native_handle(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                                    reinterpret_cast<sockaddr*>(&from), &size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == ENOBUFS) changed = true;
        if (got <= 0) return changed;
        if (size >= sizeof from && from.nl_pid != 0) continue;
        auto left = static_cast<unsigned>(got);
        for (auto* it = reinterpret_cast<nlmsghdr*>(buffer.data()); NLMSG_OK(it, left); it = NLMSG_NEXT(it, left)) {
            changed = changed || is_change(it->nlmsg_type);
            lost = lost || is_loss(it->nlmsg_type);
        }
    }
}

Task<> RouteWatch::listen()
{
    boost::system::error_code ended;
    while (socket_.is_open()) {
        bool lost = false;
        co_await socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                                    asio::redirect_error(asio::use_awaitable, ended));
        if (ended || !take_messages(lost)) {
            if (ended) co_return;
            continue;
        }
        settle_.expires_after(burst);
        co_await settle_.async_wait(asio::redirect_error(asio::use_awaitable, ended));
        if (!socket_.is_open()) co_return;
        take_messages(lost); // the rest of the burst
        changed_(lost);
    }
}

} // namespace alli::daemon
