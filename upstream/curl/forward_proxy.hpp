// SPDX-License-Identifier: Apache-2.0
// The proxy through which upstream is reached, where there is one: `upstream.proxy`, or what the environment says.
// Pure.
#pragma once

#include "upstream/curl/origin.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace alli::upstream {

struct ForwardProxy {
    std::string url;  // "http://proxy.example:3128", without credentials; empty: upstream is asked directly
    std::string name; // "proxy.example:3128": for messages
    std::string user, password;

    explicit operator bool() const noexcept { return !url.empty(); }
};

/// "http://host:port" or "socks5h://host:port", a user before the host where it wants one; empty is none. Throws
/// Error{settings} that begins with `origin` and repeats nothing of the text; for a password in it too.
ForwardProxy read_forward_proxy(const std::string& text, std::string_view origin);

struct EnvironmentProxy {
    ForwardProxy proxy;   // none: nothing is set, or NO_PROXY and its like name the host
    std::string variable; // that is set; empty: none
};
using Variables = std::function<std::optional<std::string>(const std::string&)>;

/// https_proxy, HTTPS_PROXY, all_proxy, ALL_PROXY, the first that is set, unless no_proxy or NO_PROXY names the site;
/// a loopback host always counts as named. A password may be in it. Throws as read_forward_proxy.
EnvironmentProxy find_environment_proxy(const Variables& variables, const Origin& site);

/// Whether a list such as "localhost, .corp.example, 10.0.0.0/8, *" names the host: itself, a domain it lies in, a
/// network. A port in an entry must be that of the host, where it has one ("[::1]:8080").
bool is_exempt(std::string_view host, std::string_view list);

} // namespace alli::upstream
