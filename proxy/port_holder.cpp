// SPDX-License-Identifier: Apache-2.0
#include "proxy/port_holder.hpp"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace alli::proxy {
namespace {

namespace fs = std::filesystem;
using boost::asio::ip::tcp;

struct Socket {
    unsigned user = 0;
    std::uint64_t inode = 0;
};

// As the kernel prints it: each word of the address as a number of this machine.
template <class Bytes>
std::string kernel_text(const Bytes& bytes)
{
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint32_t)) {
        std::uint32_t word = 0;
        std::memcpy(&word, bytes.data() + at, sizeof word);
        text += fmt::format("{:08X}", word);
    }
    return text;
}

std::string kernel_text(const boost::asio::ip::address& address)
{
    return address.is_v4() ? kernel_text(address.to_v4().to_bytes()) : kernel_text(address.to_v6().to_bytes());
}

bool is_zero(std::string_view digits)
{
    return digits.find_first_not_of('0') == digits.npos;
}

// A line of /proc/net/tcp: "0: 0100007F:2253 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 12345 ..."
std::optional<Socket> read_listener(const std::string& line, const tcp::endpoint& endpoint)
{
    static constexpr std::string_view listening = "0A";
    std::istringstream words(line);
    std::string number, local, remote, state, queues, timer, retransmissions, timeout;
    Socket socket;
    if (!(words >> number >> local >> remote >> state >> queues >> timer >> retransmissions >> socket.user >> timeout >>
          socket.inode))
        return std::nullopt;
    const auto colon = local.find(':');
    if (state != listening || colon == local.npos || local.substr(colon + 1) != fmt::format("{:04X}", endpoint.port()))
        return std::nullopt;
    const std::string host = local.substr(0, colon);
    const bool meets = is_zero(host) || endpoint.address().is_unspecified() || host == kernel_text(endpoint.address());
    return meets ? std::optional(socket) : std::nullopt;
}

std::optional<Socket> find_listener(const tcp::endpoint& endpoint)
{
    for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream lines(table);
        for (std::string line; std::getline(lines, line);)
            if (const auto socket = read_listener(line, endpoint)) return socket;
    }
    return std::nullopt;
}

bool holds(const fs::path& process, const std::string& socket)
{
    std::error_code hidden;
    for (fs::directory_iterator it(process / "fd", hidden), end; !hidden && it != end; it.increment(hidden)) {
        std::error_code gone;
        if (fs::read_symlink(it->path(), gone) == socket) return true;
    }
    return false;
}

} // namespace

std::optional<unsigned> find_port_user(const tcp::endpoint& endpoint)
{
    const auto socket = find_listener(endpoint);
    return socket ? std::optional(socket->user) : std::nullopt;
}

std::string describe_process(int process)
{
    std::string name;
    std::getline(std::ifstream(fmt::format("/proc/{}/comm", process)), name);
    return name.empty() ? fmt::format("process {}", process) : fmt::format("process {} ({})", process, name);
}

std::string find_port_holder(const tcp::endpoint& endpoint)
{
    const auto socket = find_listener(endpoint);
    if (!socket) return "";
    const std::string link = fmt::format("socket:[{}]", socket->inode);
    std::error_code fault;
    for (fs::directory_iterator it("/proc", fault), end; !fault && it != end; it.increment(fault)) {
        const std::string name = it->path().filename();
        if (name.find_first_not_of("0123456789") == name.npos && holds(it->path(), link))
            return describe_process(std::stoi(name));
    }
    return fmt::format("a process of user {}", socket->user);
}

} // namespace alli::proxy
