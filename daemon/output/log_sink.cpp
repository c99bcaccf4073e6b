// SPDX-License-Identifier: Apache-2.0
#include "daemon/output/log_sink.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

namespace alli::daemon {

// A writable pipe has room for PIPE_BUF bytes (pipe(7)), so a write of at most that size does not block.
bool LogSink::write(std::string_view line) const
{
    while (!line.empty()) {
        pollfd wanted{descriptor_, POLLOUT, 0};
        if (::poll(&wanted, 1, 0) != 1 || (wanted.revents & POLLOUT) == 0) return false;
        const ssize_t written = ::write(descriptor_, line.data(), std::min<std::size_t>(line.size(), PIPE_BUF));
        if (written < 0 && errno != EINTR) return false;
        line.remove_prefix(written > 0 ? static_cast<std::size_t>(written) : 0);
    }
    return true;
}

void LogSink::sink_it_(const spdlog::details::log_msg& message)
{
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (!write({line.data(), line.size()})) ++lost_;
}

} // namespace alli::daemon
