// SPDX-License-Identifier: Apache-2.0
#include "daemon/process/restart.hpp"

#include "alli/error.hpp"

#include <fcntl.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace alli::daemon {

static constexpr int beyond_passed = 256; // more sockets than a unit has lines

static std::vector<std::string> read_arguments()
{
    std::ifstream file("/proc/self/cmdline", std::ios::binary);
    const std::string all(std::istreambuf_iterator<char>(file), {});
    std::vector<std::string> words;
    for (std::size_t at = 0; at < all.size();) {
        words.emplace_back(all.c_str() + at);
        at += words.back().size() + 1;
    }
    return words;
}

Restart::Restart(const std::vector<int>& passed, std::string key) : key_(std::move(key))
{
    for (const int socket : passed) {
        const int copy = ::fcntl(socket, F_DUPFD_CLOEXEC, beyond_passed);
        if (copy < 0)
            throw Error(Fault::io, "raise LimitNOFILE", "cannot keep the service manager's socket: {}",
                        std::strerror(errno));
        kept_.push_back(copy);
    }
}

Restart::~Restart()
{
    for (const int socket : kept_) ::close(socket);
}

// Everything else is closed: what a library left open must not be there in the next run.
static void put_sockets(const std::vector<int>& kept)
{
    const auto count = static_cast<int>(kept.size());
    for (int n = 0; n < count; ++n) ::dup2(kept[static_cast<std::size_t>(n)], SD_LISTEN_FDS_START + n);
    ::close_range(static_cast<unsigned>(SD_LISTEN_FDS_START + count), ~0U, CLOSE_RANGE_CLOEXEC);
    if (count == 0) return;
    ::setenv("LISTEN_FDS", std::to_string(count).c_str(), 1);
    ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
}

void Restart::run() const
{
    std::vector<std::string> words = read_arguments();
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    put_sockets(kept_);
    if (!key_.empty()) ::setenv("ALLI_API_KEY", key_.c_str(), 1);
    std::error_code gone; // replaced by an upgrade: then the link alone leads to it
    const auto file = std::filesystem::read_symlink("/proc/self/exe", gone);
    ::execv(file.c_str(), arguments.data());
    ::execv("/proc/self/exe", arguments.data());
    throw Error(Fault::io, "start it again", "the program cannot be started anew: {}", std::strerror(errno));
}

} // namespace alli::daemon
