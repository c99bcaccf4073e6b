// SPDX-License-Identifier: Apache-2.0
#include "proxy/port_table.hpp"

#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <sstream>

namespace alli::proxy {
namespace {

namespace ip = boost::asio::ip;

template <class Number>
std::optional<Number> read_hex(std::string_view digits)
{
    Number number{};
    const auto [end, bad] = std::from_chars(digits.begin(), digits.end(), number, 16);
    return bad == std::errc{} && end == digits.end() ? std::optional(number) : std::nullopt;
}

// Each word of the address is printed as a number of this machine.
template <class Address>
std::optional<ip::address> read_address(std::string_view digits)
{
    constexpr std::size_t word_digits = 8;
    typename Address::bytes_type bytes{};
    for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint32_t)) {
        const auto word = read_hex<std::uint32_t>(digits.substr(at * 2, word_digits));
        if (!word) return std::nullopt;
        std::memcpy(bytes.data() + at, &*word, sizeof *word);
    }
    return ip::address(Address(bytes));
}

// "0100007F:2253", or with 32 digits for IPv6.
std::optional<ip::tcp::endpoint> read_endpoint(std::string_view text)
{
    const auto colon = text.find(':');
    if (colon != 8 && colon != 32) return std::nullopt;
    const auto address = colon == 8 ? read_address<ip::address_v4>(text) : read_address<ip::address_v6>(text);
    const auto port = read_hex<std::uint16_t>(text.substr(colon + 1));
    return address && port ? std::optional(ip::tcp::endpoint(*address, *port)) : std::nullopt;
}

// "0: 0100007F:2253 00000000:0000 0A 00000000:00000000 00:00000000 00000000 1000 0 12345 ..."
std::optional<ListeningSocket> read_listener(const std::string& line)
{
    static constexpr std::string_view listening = "0A";
    std::istringstream words(line);
    std::string number, local, remote, state, queues, timer, retransmissions, timeout;
    ListeningSocket socket;
    if (!(words >> number >> local >> remote >> state >> queues >> timer >> retransmissions >> socket.user >> timeout >>
          socket.inode) ||
        state != listening)
        return std::nullopt;
    const auto endpoint = read_endpoint(local);
    if (!endpoint) return std::nullopt;
    socket.endpoint = *endpoint;
    return socket;
}

// ::ffff:127.0.0.1 is an IPv6 socket of an IPv4 address.
ip::address plain(const ip::address& address)
{
    const bool mapped = address.is_v6() && address.to_v6().is_v4_mapped();
    return mapped ? ip::address(ip::make_address_v4(ip::v4_mapped, address.to_v6())) : address;
}

} // namespace

std::vector<ListeningSocket> read_listeners(const std::string& table)
{
    std::vector<ListeningSocket> sockets;
    std::istringstream lines(table);
    for (std::string line; std::getline(lines, line);)
        if (const auto socket = read_listener(line)) sockets.push_back(*socket);
    return sockets;
}

bool may_take(const ListeningSocket& socket, const ip::tcp::endpoint& endpoint)
{
    if (socket.endpoint.port() != endpoint.port()) return false;
    const ip::address bound = plain(socket.endpoint.address()), wanted = plain(endpoint.address());
    if (wanted.is_unspecified() || bound == wanted) return true;
    return bound.is_unspecified() && (bound.is_v6() || wanted.is_v4());
}

} // namespace alli::proxy
