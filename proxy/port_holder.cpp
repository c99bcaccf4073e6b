// SPDX-License-Identifier: Apache-2.0
#include "proxy/port_holder.hpp"

#include <spdlog/fmt/fmt.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace alli::proxy {
namespace {

namespace fs = std::filesystem;
using boost::asio::ip::tcp;

constexpr const char* table_v4 = "/proc/net/tcp";
constexpr const char* table_v6 = "/proc/net/tcp6"; // none: a kernel without IPv6

std::optional<std::vector<ListeningSocket>> read_table(const char* file)
{
    std::ifstream table(file);
    std::stringstream text;
    if (!table || !(text << table.rdbuf())) return std::nullopt;
    return read_listeners(text.str());
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

Listeners find_listeners(const tcp::endpoint& endpoint)
{
    auto all = read_table(table_v4);
    const auto v6 = fs::exists(table_v6) ? read_table(table_v6) : std::vector<ListeningSocket>{};
    if (!all || !v6) return std::nullopt;
    all->insert(all->end(), v6->begin(), v6->end());
    std::erase_if(*all, [&](const ListeningSocket& socket) { return !may_take(socket, endpoint); });
    return all;
}

std::string describe_process(int process)
{
    std::string name;
    std::getline(std::ifstream(fmt::format("/proc/{}/comm", process)), name);
    return name.empty() ? fmt::format("process {}", process) : fmt::format("process {} ({})", process, name);
}

std::string describe_holder(const ListeningSocket& socket)
{
    const std::string link = fmt::format("socket:[{}]", socket.inode);
    std::error_code fault;
    for (fs::directory_iterator it("/proc", fault), end; !fault && it != end; it.increment(fault)) {
        const std::string name = it->path().filename();
        if (name.find_first_not_of("0123456789") == name.npos && holds(it->path(), link))
            return describe_process(std::stoi(name));
    }
    return fmt::format("a process of user {}", socket.user);
}

std::string find_port_holder(const tcp::endpoint& endpoint)
{
    const Listeners listeners = find_listeners(endpoint);
    return listeners && !listeners->empty() ? describe_holder(listeners->front()) : "";
}

} // namespace alli::proxy
