// SPDX-License-Identifier: Apache-2.0
#include "proxy/listen_address.hpp"

#include "alli/error.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace alli::proxy {
namespace {

namespace asio = boost::asio;

constexpr std::size_t longest_path = 107; // what sockaddr_un holds

bool is_number(std::string_view text)
{
    return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

bool is_bracketed(std::string_view address)
{
    return address.starts_with('[') && address.find(']') != address.npos;
}

bool has_blank(std::string_view address)
{
    return address.find_first_of(" \t\r\n") != address.npos;
}

bool is_url(std::string_view address)
{
    return address.find("://") != address.npos;
}

bool is_path(std::string_view address)
{
    return address.starts_with('/') || address.starts_with('.') || address.starts_with('~');
}

bool is_bare_ipv6(std::string_view address)
{
    return !is_bracketed(address) && std::count(address.begin(), address.end(), ':') > 1;
}

bool lacks_port(std::string_view address)
{
    return address.find(':', is_bracketed(address) ? address.find(']') : 0) == address.npos;
}

bool lacks_host(std::string_view address)
{
    return address.starts_with(':');
}

bool is_everywhere(std::string_view address)
{
    return address.starts_with("*:");
}

struct Mistake {
    bool (*is_made)(std::string_view address);
    std::string_view why;
};
// What people write instead; the first that fits.
constexpr auto mistakes = std::to_array<Mistake>({
    {&has_blank, "there is a blank in it"},
    {&is_url, "this is a URL; an address has no scheme and no path"},
    {&is_path, "this is a path; a socket is written unix:/path"},
    {&is_number, "there is no host before the port"},
    {&is_bare_ipv6, "an IPv6 address stands in brackets: [::1]:8787"},
    {&lacks_host, "there is no host before the port"},
    {&is_everywhere, "* is no address; all of this machine's are 0.0.0.0 and [::]"},
    {&lacks_port, "there is no port"},
});

unsigned short read_port(const std::string& address)
{
    const std::string text = address.substr(address.rfind(':') + 1);
    unsigned short port = 0;
    const char* end = text.data() + text.size();
    const auto [stop, bad] = std::from_chars(text.data(), end, port);
    if (bad != std::errc{} || stop != end) refuse_address(address, "the port is no number from 0 to 65535");
    return port;
}

asio::ip::address read_host(const std::string& address)
{
    std::string host = address.substr(0, address.rfind(':'));
    if (host == "localhost") return asio::ip::address_v4::loopback();
    boost::system::error_code code;
    if (is_bracketed(host)) {
        const auto ip = asio::ip::make_address_v6(host.substr(1, host.size() - 2), code);
        if (code || !host.ends_with(']')) refuse_address(address, "what stands in the brackets is no IPv6 address");
        return ip;
    }
    const auto ip = asio::ip::make_address_v4(host, code);
    if (code) refuse_address(address, "the host is no address: names are not looked up, but for localhost");
    return ip;
}

} // namespace

void refuse_address(const std::string& address, std::string_view why)
{
    throw Error(Fault::settings, "write HOST:PORT (127.0.0.1:8787), [::1]:PORT or unix:/path into proxy.listen",
                "{}: {}", address, why);
}

asio::ip::tcp::endpoint read_tcp_address(const std::string& address)
{
    for (const Mistake& mistake : mistakes)
        if (mistake.is_made(address)) refuse_address(address, mistake.why);
    const unsigned short port = read_port(address);
    return {read_host(address), port};
}

std::string read_socket_path(const std::string& address)
{
    std::string path = address.substr(unix_prefix.size());
    if (path.empty() || path.size() > longest_path) refuse_address(address, "a socket path has 1 to 107 bytes");
    return path;
}

} // namespace alli::proxy
