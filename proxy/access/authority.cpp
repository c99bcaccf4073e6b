// SPDX-License-Identifier: Apache-2.0
#include "proxy/access/authority.hpp"

#include <algorithm>
#include <charconv>

namespace alli::proxy {
namespace {

bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_host(std::string_view host)
{
    if (host.starts_with('['))
        return host.size() > 2 && host.ends_with(']') &&
               host.substr(1, host.size() - 2).find_first_not_of("0123456789abcdefABCDEF:.") == host.npos;
    return !host.empty() && std::all_of(host.begin(), host.end(),
                                        [](char c) { return is_alnum(c) || c == '.' || c == '-' || c == '_'; });
}

bool is_scheme(std::string_view scheme)
{
    return !scheme.empty() && !(scheme.front() >= '0' && scheme.front() <= '9') &&
           std::all_of(scheme.begin(), scheme.end(),
                       [](char c) { return is_alnum(c) || c == '+' || c == '-' || c == '.'; });
}

struct Parts {
    std::string scheme;
    Authority authority;
};

std::optional<std::uint16_t> own_port(std::string_view scheme)
{
    if (scheme == "http") return 80;
    if (scheme == "https") return 443;
    return std::nullopt;
}

std::optional<Parts> split_origin(std::string_view text)
{
    constexpr std::string_view mark = "://";
    const auto at = text.find(mark);
    if (at == text.npos || !is_scheme(text.substr(0, at))) return std::nullopt;
    auto authority = read_authority(text.substr(at + mark.size()));
    if (!authority) return std::nullopt;
    Parts parts{lower_case(text.substr(0, at)), std::move(*authority)};
    if (parts.authority.port == own_port(parts.scheme)) parts.authority.port.reset();
    return parts;
}

} // namespace

std::string lower_case(std::string_view text)
{
    std::string folded(text);
    for (char& c : folded)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
    return folded;
}

std::optional<Authority> read_authority(std::string_view text)
{
    Authority authority;
    const auto bracket = text.starts_with('[') ? text.find(']') : 0;
    if (bracket == text.npos) return std::nullopt;
    const auto colon = text.find(':', bracket);
    if (!is_host(text.substr(0, colon))) return std::nullopt;
    authority.host = lower_case(text.substr(0, colon));
    if (colon == text.npos) return authority;
    std::uint16_t port = 0;
    const char* end = text.data() + text.size();
    const auto [stop, bad] = std::from_chars(text.data() + colon + 1, end, port);
    if (bad != std::errc{} || stop != end) return std::nullopt;
    authority.port = port;
    return authority;
}

bool is_loopback_name(std::string_view host) noexcept
{
    return host == "localhost" || host.ends_with(".localhost") || host == "[::1]" || host.starts_with("127.");
}

std::optional<std::string> read_origin(std::string_view text)
{
    const auto parts = split_origin(text);
    if (!parts) return std::nullopt;
    std::string origin = parts->scheme + "://" + parts->authority.host;
    if (parts->authority.port) origin += ':' + std::to_string(*parts->authority.port);
    return origin;
}

bool is_origin_of(std::string_view origin, const Authority& host)
{
    const auto parts = split_origin(origin);
    if (!parts || !own_port(parts->scheme)) return false;
    std::optional<std::uint16_t> called = host.port;
    if (called == own_port(parts->scheme)) called.reset();
    return parts->authority.host == host.host && parts->authority.port == called;
}

} // namespace alli::proxy
