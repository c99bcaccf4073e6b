// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/egress.hpp"

#include "daemon/settings/api_key.hpp"

namespace alli::daemon {

static constexpr std::string_view from_environment = "environment";

upstream::ForwardProxy read_proxy_address(const Config& config, const Environment& environment)
{
    if (config.upstream_proxy == from_environment)
        return find_environment_proxy(environment, upstream::read_origin(config.upstream_url)).proxy;
    return upstream::read_forward_proxy(config.upstream_proxy, "upstream.proxy");
}

void add_proxy_password(upstream::ForwardProxy& proxy, const Settings& settings, const Environment& environment)
{
    const Config& config = settings.config;
    if (!proxy.user.empty() && proxy.password.empty()) proxy.password = load_proxy_password(settings, environment);
    if (proxy.user.empty() && !config.proxy_password_file.empty() && config.upstream_proxy != from_environment)
        throw Error(Fault::settings, "name the user in upstream.proxy: http://user@host:port",
                    "upstream.proxy_password_file is set, but upstream.proxy names no user");
}

upstream::ForwardProxy load_forward_proxy(const Settings& settings, const Environment& environment)
{
    upstream::ForwardProxy proxy = read_proxy_address(settings.config, environment);
    add_proxy_password(proxy, settings, environment);
    return proxy;
}

upstream::CurlOptions curl_options(const Config& config, const upstream::ForwardProxy& proxy)
{
    upstream::CurlOptions options;
    options.base_url = config.upstream_url;
    options.max_connections = config.max_connections;
    options.connect_timeout = config.connect_timeout;
    options.request_timeout = config.request_timeout;
    options.ca_file = config.ca_file;
    options.proxy = proxy;
    return options;
}

std::optional<std::string> find_unheeded_proxy(const Config& config, const Environment& environment)
try {
    if (!config.upstream_proxy.empty()) return std::nullopt;
    const auto found = find_environment_proxy(environment, upstream::read_origin(config.upstream_url));
    if (found.proxy) return found.variable;
    return std::nullopt;
} catch (const Error&) {
    return std::nullopt; // nobody could heed it
}

} // namespace alli::daemon
