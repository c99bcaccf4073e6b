// SPDX-License-Identifier: Apache-2.0
// Egress settings: the proxy towards upstream, its password, and additional certificate authorities.
#pragma once

#include "daemon/settings/settings.hpp"
#include "upstream/curl/curl_options.hpp"

namespace alli::daemon {

/// The proxy, with a password only if it comes from the environment. Throws Error{settings} for an invalid address or
/// one that contains a password.
upstream::ForwardProxy read_proxy_address(const Config& config, const Environment& environment);

/// The password of the proxy's user. Throws Error{settings} for an unusable file or a password without a user.
void add_proxy_password(upstream::ForwardProxy& proxy, const Settings& settings, const Environment& environment);

/// The proxy together with its password.
upstream::ForwardProxy load_forward_proxy(const Settings& settings, const Environment& environment);

/// Options of one connection pool towards upstream.
upstream::CurlOptions curl_options(const Config& config, const upstream::ForwardProxy& proxy);

/// The environment variable that names a proxy and is ignored by upstream.proxy.
std::optional<std::string> find_unheeded_proxy(const Config& config, const Environment& environment);

} // namespace alli::daemon
