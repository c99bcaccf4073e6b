// SPDX-License-Identifier: Apache-2.0
#include "upstream/curl/forward_proxy.hpp"

#include "alli/error.hpp"
#include "upstream/curl/handles.hpp"
#include "upstream/header.hpp"

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

#include <algorithm>
#include <array>

namespace alli::upstream {
namespace {

namespace ip = boost::asio::ip;

constexpr auto example = "write it as http://proxy.example:3128, http://user@proxy.example:3128, "
                         "socks5h://proxy.example:1080, or environment";

enum class Passwords { refused, taken };

std::string part(CURLU* url, CURLUPart which)
{
    char* text = nullptr;
    const bool is_credential = which == CURLUPART_USER || which == CURLUPART_PASSWORD;
    if (curl_url_get(url, which, &text, is_credential ? CURLU_URLDECODE : 0) != CURLUE_OK) return {};
    const curl::Text owned(text);
    return owned.get();
}

// The messages repeat nothing of the text: it may hold a password.
ForwardProxy read(const std::string& text, std::string_view origin, Passwords passwords)
{
    const curl::Url url(curl_url());
    if (!url) throw std::bad_alloc();
    const std::string whole = text.find("://") == text.npos ? "http://" + text : text;
    if (curl_url_set(url.get(), CURLUPART_URL, whole.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
        throw Error(Fault::settings, example, "{} is not the address of a proxy", origin);
    ForwardProxy proxy;
    proxy.user = part(url.get(), CURLUPART_USER);
    proxy.password = part(url.get(), CURLUPART_PASSWORD);
    if (!proxy.password.empty() && passwords == Passwords::refused)
        throw Error(Fault::settings, "put it into the file that upstream.proxy_password_file names (mode 0600)",
                    "{} holds a password", origin);
    const std::string scheme = part(url.get(), CURLUPART_SCHEME), port = part(url.get(), CURLUPART_PORT);
    if (scheme != "http" && scheme != "socks5h" && scheme != "socks5")
        throw Error(Fault::settings, example, "{} must begin with http:// or socks5h://", origin);
    if (port.empty()) throw Error(Fault::settings, example, "{} names no port", origin);
    const std::string path = part(url.get(), CURLUPART_PATH);
    if ((!path.empty() && path != "/") || !part(url.get(), CURLUPART_QUERY).empty() ||
        !part(url.get(), CURLUPART_FRAGMENT).empty())
        throw Error(Fault::settings, example, "{} holds more than a host and a port", origin);
    proxy.name = part(url.get(), CURLUPART_HOST) + ":" + port;
    proxy.url = scheme + "://" + proxy.name;
    return proxy;
}

struct Host {
    std::string_view name; // without brackets
    std::string_view port; // empty: none
};

Host split(std::string_view text)
{
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        const std::string_view rest = end == text.npos ? std::string_view{} : text.substr(end + 1);
        return {text.substr(1, std::min(end, text.size()) - 1), rest.starts_with(':') ? rest.substr(1) : rest};
    }
    const auto colon = text.find(':');
    if (colon == text.npos || text.find(':', colon + 1) != text.npos) return {text, {}}; // an address of IPv6 is bare
    return {text.substr(0, colon), text.substr(colon + 1)};
}

template <class Address, class Make>
bool is_in(const Address& address, std::string_view network, Make make)
{
    boost::system::error_code bad;
    const auto range = make(std::string(network), bad);
    if (bad) return false;
    const auto same = make(address.to_string() + "/" + std::to_string(range.prefix_length()), bad);
    return !bad && same.canonical() == range.canonical();
}

bool is_in_network(std::string_view host, std::string_view network)
{
    boost::system::error_code bad;
    const auto address = ip::make_address(std::string(host), bad);
    if (bad) return false;
    if (address.is_v4())
        return is_in(address.to_v4(), network, [](const std::string& n, auto& e) { return ip::make_network_v4(n, e); });
    return is_in(address.to_v6(), network, [](const std::string& n, auto& e) { return ip::make_network_v6(n, e); });
}

bool names(std::string_view entry, const Host& host)
{
    if (entry == "*") return true;
    if (entry.find('/') != entry.npos) return is_in_network(host.name, entry);
    Host named = split(entry);
    if (!named.port.empty() && named.port != host.port) return false;
    if (named.name.starts_with("*.")) named.name.remove_prefix(1);
    if (named.name.starts_with('.')) named.name.remove_prefix(1);
    if (named.name.empty() || named.name.size() > host.name.size()) return false;
    const std::string_view end = host.name.substr(host.name.size() - named.name.size());
    const bool is_whole = end.size() == host.name.size();
    return same_name(end, named.name) && (is_whole || host.name[host.name.size() - end.size() - 1] == '.');
}

std::optional<std::pair<std::string, std::string>> first_set(const Variables& variables,
                                                             std::initializer_list<const char*> names)
{
    for (const char* name : names)
        if (auto value = variables(name); value && !value->empty()) return std::pair{std::string(name), *value};
    return std::nullopt;
}

// With the port that it has by its scheme.
std::string host_of(const Origin& site)
{
    const bool has_port = !split(site.host).port.empty();
    return has_port ? site.host : site.host + (site.base.starts_with("https") ? ":443" : ":80");
}

} // namespace

ForwardProxy read_forward_proxy(const std::string& text, std::string_view origin)
{
    return text.empty() ? ForwardProxy{} : read(text, origin, Passwords::refused);
}

bool is_exempt(std::string_view host, std::string_view list)
{
    constexpr std::string_view blank = ", \t";
    const Host whose = split(host);
    while (true) {
        const auto begin = list.find_first_not_of(blank);
        if (begin == list.npos) return false;
        list.remove_prefix(begin);
        const std::string_view entry = list.substr(0, list.find_first_of(blank));
        if (names(entry, whose)) return true;
        list.remove_prefix(entry.size());
    }
}

EnvironmentProxy find_environment_proxy(const Variables& variables, const Origin& site)
{
    constexpr std::string_view loopback = "localhost, 127.0.0.0/8, ::1";
    EnvironmentProxy found;
    const auto set = first_set(variables, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
    if (!set) return found;
    found.variable = set->first;
    const auto exempt = first_set(variables, {"no_proxy", "NO_PROXY"});
    const std::string host = host_of(site);
    if (is_exempt(host, loopback) || (exempt && is_exempt(host, exempt->second))) return found;
    found.proxy = read(set->second, set->first, Passwords::taken);
    return found;
}

} // namespace alli::upstream
