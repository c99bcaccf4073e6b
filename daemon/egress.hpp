// SPDX-License-Identifier: Apache-2.0
// The way out, from the settings: through which proxy upstream is asked, with which password, trusting whom.
#pragma once

#include "daemon/settings.hpp"
#include "upstream/curl_transport.hpp"

namespace alli::daemon {

/// With a password only where the environment has one. Throws Error{settings}: an address that is none, or holds one.
upstream::ForwardProxy read_proxy_address(const Config& config, const Environment& environment);

/// Of its user, where there is one. Throws Error{settings}: a file that cannot be used, or that belongs to nobody.
void add_proxy_password(upstream::ForwardProxy& proxy, const Settings& settings, const Environment& environment);

/// Both.
upstream::ForwardProxy load_forward_proxy(const Settings& settings, const Environment& environment);

/// For one connection pool towards upstream.
upstream::CurlOptions curl_options(const Config& config, const upstream::ForwardProxy& proxy);

/// The variable of the environment that names a proxy towards upstream, and that upstream.proxy does not heed.
std::optional<std::string> find_unheeded_proxy(const Config& config, const Environment& environment);

} // namespace alli::daemon
