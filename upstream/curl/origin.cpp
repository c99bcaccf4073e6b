// SPDX-License-Identifier: Apache-2.0
#include "upstream/curl/origin.hpp"

#include "alli/error.hpp"
#include "upstream/curl/handles.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

#include <algorithm>
#include <array>
#include <string_view>

namespace alli::upstream {
namespace {

constexpr auto example = "upstream.url is scheme, host and port alone, such as https://backend.alli.ai";

// What stands between the scheme and the first slash.
std::string_view authority_of(std::string_view url)
{
    const auto start = url.find("://");
    if (start == url.npos) return {};
    url.remove_prefix(start + 3);
    return url.substr(0, url.find_first_of("/?#"));
}

bool has_blank(std::string_view url)
{
    return std::any_of(url.begin(), url.end(), [](char c) { return (c >= 0 && c <= ' ') || c == 0x7f; });
}

bool is_quoted(std::string_view url)
{
    return url.starts_with('"') || url.starts_with('\'') || url.ends_with('"') || url.ends_with('\'');
}

bool holds_credentials(std::string_view url)
{
    return url.find('@') != url.npos;
}

bool has_backslash(std::string_view url)
{
    return url.find('\\') != url.npos;
}

bool lacks_scheme(std::string_view url)
{
    return url.find("://") == url.npos;
}

bool lacks_host(std::string_view url)
{
    const auto authority = authority_of(url);
    return authority.empty() || authority.starts_with(':');
}

bool is_beyond_ascii(std::string_view url)
{
    return std::any_of(url.begin(), url.end(), [](char c) { return c < 0; });
}

bool is_bare_ipv6(std::string_view url)
{
    const auto authority = authority_of(url);
    return authority.find('[') == authority.npos && std::count(authority.begin(), authority.end(), ':') > 1;
}

bool has_bad_port(std::string_view url)
{
    const auto authority = authority_of(url);
    const auto colon = authority.find(':', authority.starts_with('[') ? authority.find(']') : 0);
    if (colon == authority.npos) return false;
    const auto digits = authority.substr(colon + 1);
    const bool number = !digits.empty() && digits.size() < 6 && digits.find_first_not_of("0123456789") == digits.npos;
    const int port = number ? std::stoi(std::string(digits)) : 0;
    return port < 1 || port > 65535;
}

struct Mistake {
    bool (*is_made)(std::string_view url);
    const char *what, *hint;
};
// What a lenient parser would take for something else, and what deserves words of its own. Nothing repeats the text:
// it may hold credentials.
constexpr auto mistakes = std::to_array<Mistake>({
    {&has_blank, "holds a blank", example},
    {&is_quoted, "stands in quotes twice", example},
    {&holds_credentials, "holds credentials", "the key belongs into upstream.api_key_file"},
    {&has_backslash, "holds a backslash", example},
    {&lacks_scheme, "is not a URL", "it begins with https://"},
    {&is_bare_ipv6, "has an IPv6 address without brackets", "write https://[2001:db8::1]:8443"},
    {&lacks_host, "names no host", example},
    {&is_beyond_ascii, "holds a letter beyond ASCII",
     "is it the name you mean, typed without an input method? a host of such letters is written as xn--..."},
    {&has_bad_port, "has a port that is no number from 1 to 65535", example},
});

void refuse_mistakes(const std::string& url)
{
    for (const Mistake& mistake : mistakes)
        if (mistake.is_made(url)) throw Error(Fault::settings, mistake.hint, "upstream.url {}", mistake.what);
}

std::string part(CURLU* url, CURLUPart which)
{
    char* text = nullptr;
    if (curl_url_get(url, which, &text, 0) != CURLUE_OK) return {};
    const curl::Text owned(text);
    return owned.get();
}

curl::Url parse(const std::string& text)
{
    curl::Url url(curl_url());
    if (!url) throw std::bad_alloc();
    // The message repeats nothing of the text: it may hold credentials.
    if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
        throw Error(Fault::settings, example, "upstream.url is not a URL");
    return url;
}

bool is_loopback(const std::string& host)
{
    if (host == "localhost") return true;
    boost::system::error_code bad;
    const auto v4 = boost::asio::ip::make_address_v4(host, bad);
    if (!bad) return v4.is_loopback();
    if (host.size() < 2 || host.front() != '[') return false;
    const auto v6 = boost::asio::ip::make_address_v6(host.substr(1, host.size() - 2), bad);
    return !bad && v6.is_loopback();
}

void refuse_extras(CURLU* url)
{
    if (!part(url, CURLUPART_USER).empty() || !part(url, CURLUPART_PASSWORD).empty())
        throw Error(Fault::settings, "the key belongs into upstream.api_key_file", "upstream.url holds credentials");
    if (!part(url, CURLUPART_QUERY).empty() || !part(url, CURLUPART_FRAGMENT).empty())
        throw Error(Fault::settings, example, "upstream.url holds a query or a fragment");
}

// Every call's path begins with /webapi: one that the address has already would come twice.
void refuse_path(CURLU* url, const std::string& base)
{
    const auto path = part(url, CURLUPART_PATH);
    if (path.empty() || path == "/") return;
    const bool repeats = path == "/webapi" || path.starts_with("/webapi/");
    throw Error(Fault::settings, repeats ? fmt::format("the program adds /webapi itself: write {}", base) : example,
                "upstream.url holds a path");
}

std::string protocols_for(const std::string& scheme, const std::string& host)
{
    if (scheme == "https") return scheme;
    if (scheme != "http") throw Error(Fault::settings, example, "upstream.url must begin with https://");
    if (!is_loopback(host))
        throw Error(Fault::settings, "use https://; plain http is for 127.0.0.1, [::1] and localhost alone",
                    "upstream.url would send the key unencrypted to {}", host);
    return scheme;
}

} // namespace

Origin read_origin(const std::string& url)
{
    refuse_mistakes(url);
    const auto parsed = parse(url);
    refuse_extras(parsed.get());
    const auto scheme = part(parsed.get(), CURLUPART_SCHEME);
    const auto host = part(parsed.get(), CURLUPART_HOST);
    const auto port = part(parsed.get(), CURLUPART_PORT);
    if (host.empty()) throw Error(Fault::settings, example, "upstream.url names no host");

    Origin site;
    site.protocols = protocols_for(scheme, host);
    site.host = port.empty() ? host : host + ":" + port;
    site.base = scheme + "://" + site.host;
    refuse_path(parsed.get(), site.base);
    return site;
}

} // namespace alli::upstream
