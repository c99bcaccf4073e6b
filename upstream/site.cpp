// SPDX-License-Identifier: Apache-2.0
#include "upstream/site.hpp"

#include "alli/error.hpp"
#include "upstream/curl.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>

namespace alli::upstream {
namespace {

constexpr auto example = "upstream.url is scheme, host and port alone, such as https://backend.alli.ai";

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
    const auto path = part(url, CURLUPART_PATH);
    if (!path.empty() && path != "/") throw Error(Fault::settings, example, "upstream.url holds a path");
    if (!part(url, CURLUPART_QUERY).empty() || !part(url, CURLUPART_FRAGMENT).empty())
        throw Error(Fault::settings, example, "upstream.url holds a query or a fragment");
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

Site read_site(const std::string& url)
{
    const auto parsed = parse(url);
    refuse_extras(parsed.get());
    const auto scheme = part(parsed.get(), CURLUPART_SCHEME);
    const auto host = part(parsed.get(), CURLUPART_HOST);
    const auto port = part(parsed.get(), CURLUPART_PORT);
    if (host.empty()) throw Error(Fault::settings, example, "upstream.url names no host");

    Site site;
    site.protocols = protocols_for(scheme, host);
    site.host = port.empty() ? host : host + ":" + port;
    site.base = scheme + "://" + site.host;
    return site;
}

} // namespace alli::upstream
