// SPDX-License-Identifier: Apache-2.0
// Bytes to a server and whatever comes back, over TCP or a Unix socket, one connection. Waits at most ten seconds.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace alli::proxy {

class RawClient {
  public:
    RawClient() : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {}
    explicit RawClient(std::uint16_t port) : RawClient() { connect_to(port); }
    void connect_to(std::uint16_t port)
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        open(reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    explicit RawClient(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM, 0))
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
        open(reinterpret_cast<const sockaddr*>(&address), sizeof address);
    }
    ~RawClient() { ::close(fd_); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    bool connected() const noexcept { return connected_; }

    void send(std::string_view bytes) const
    {
        while (!bytes.empty()) {
            const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return; // the server closed: what it said shows in the answer
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    /// Sends for as long as the server takes it, and what it did not take for a moment stays.
    std::size_t send_until_held_back(std::string_view bytes) const
    {
        std::size_t sent = 0;
        pollfd room{fd_, POLLOUT, 0};
        while (sent < bytes.size() && ::poll(&room, 1, 300) > 0) {
            const auto count = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (count <= 0) break;
            sent += static_cast<std::size_t>(count);
        }
        return sent;
    }
    void finish() const { ::shutdown(fd_, SHUT_WR); }

    /// Until the server closes.
    std::string read_all() { return read_until({}); }
    /// Until `end` was read, or the server closes.
    std::string read_until(std::string_view end)
    {
        std::string text;
        char piece[4096];
        while (end.empty() || text.find(end) == text.npos) {
            const auto count = ::recv(fd_, piece, sizeof piece, 0);
            saw_the_end_ = count == 0;
            if (count <= 0) break;
            text.append(piece, static_cast<std::size_t>(count));
        }
        return text;
    }

    /// What comes within that time.
    std::string read_for(std::chrono::milliseconds time)
    {
        pollfd there{fd_, POLLIN, 0};
        char piece[4096];
        if (::poll(&there, 1, static_cast<int>(time.count())) <= 0) return {};
        const auto count = ::recv(fd_, piece, sizeof piece, 0);
        return {piece, static_cast<std::size_t>(std::max<ssize_t>(count, 0))};
    }
    /// Whether the last reading ended because the server closed in good order.
    bool saw_the_end() const noexcept { return saw_the_end_; }

  private:
    void open(const sockaddr* address, socklen_t size)
    {
        timeval patience{};
        patience.tv_sec = 10;
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        connected_ = ::connect(fd_, address, size) == 0;
    }

    int fd_;
    bool connected_ = false, saw_the_end_ = false;
};

} // namespace alli::proxy
