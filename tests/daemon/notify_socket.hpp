// SPDX-License-Identifier: Apache-2.0
// The service manager's end of sd_notify. Takes what comes at once, as a manager does: who speaks to one that does not
// waits.
#pragma once

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

namespace alli::daemon {

class NotifySocket {
  public:
    explicit NotifySocket(const std::string& path) : descriptor_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0))
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
        reader_ = std::thread([this] { read(); });
    }
    ~NotifySocket()
    {
        ::shutdown(descriptor_, SHUT_RD); // ends the wait
        reader_.join();
        ::close(descriptor_);
    }
    NotifySocket(const NotifySocket&) = delete;
    NotifySocket& operator=(const NotifySocket&) = delete;

    /// "nothing" when none came in that time.
    std::string next(std::chrono::milliseconds patience = std::chrono::seconds(30)) const
    {
        std::unique_lock lock(mutex_);
        if (!came_.wait_for(lock, patience, [this] { return !said_.empty(); })) return "nothing";
        std::string first = std::move(said_.front());
        said_.pop_front();
        return first;
    }

  private:
    void read()
    {
        std::array<char, 4096> buffer{};
        for (;;) {
            const ssize_t count = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
            if (count <= 0) return;
            const std::lock_guard lock(mutex_);
            said_.emplace_back(buffer.data(), static_cast<std::size_t>(count));
            came_.notify_one();
        }
    }

    int descriptor_;
    mutable std::mutex mutex_;
    mutable std::condition_variable came_;
    mutable std::deque<std::string> said_;
    std::thread reader_;
};

} // namespace alli::daemon
