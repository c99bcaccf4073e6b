// SPDX-License-Identifier: Apache-2.0
#include "proxy/relay/gateway_headers.hpp"

#include "alli/headers.hpp"

#include <algorithm>
#include <array>

namespace alli::proxy {

// By the programs that add them; none begins a name of the API's own (API-KEY, OWN-USER-ID, USER-EMAIL, AGENT-EMAIL).
static constexpr auto prefixes = std::to_array<std::string_view>({
    "X-Forwarded-", "X-Original-",      "X-Real-",                    // nginx, Caddy, Traefik, HAProxy, Apache
    "X-Auth-",      "X-Authenticated-", "X-Vouch-",   "X-Token-",     // oauth2-proxy, Vouch, Caddy's security module
    "Remote-",      "X-Remote-",        "X-WebAuth-", "X-Authentik-", // Authelia, Apache, Grafana's way, Authentik
    "OIDC-",        "X-Pomerium-",      "Tailscale-", "X-Ts-",        // Apache's mod_auth_openidc, Pomerium, Tailscale
    "X-Consumer-",  "X-Credential-",                                  // Kong
    "X-Client-",    "X-SSL-",           "SSL-",       "X-TLS-",       // addresses and certificates of clients
    "X-Envoy-",     "X-Amzn-",          "X-Amz-Cf-",  "CloudFront-",  // Envoy and Istio, AWS
    "X-MS-",        "X-ARR-",           "X-Azure-",   "X-FD-",         "X-AppGW-",  // Azure
    "X-Goog-",      "X-AppEngine-",     "X-Cloud-",   "X-Serverless-",              // Google's IAP and load balancers
    "Cf-",          "Fastly-",          "Akamai-",    "X-Akamai-",     "X-Vercel-", // content delivery networks
});
static constexpr auto names = std::to_array<std::string_view>({
    "Forwarded",
    "Referer",
    "Client-Cert", // RFC 9440
    "Client-Cert-Chain",
    "Client-IP",
    "True-Client-IP",
    "X-Cluster-Client-IP",
    "X-Originating-IP",
    "X-ProxyUser-IP",
    "CDN-Loop",
    "X-Access-Token", // APISIX and Kong, likewise the next four
    "X-ID-Token",
    "X-Refresh-Token",
    "X-Userinfo",
    "X-Anonymous-Consumer",
    "X-Scheme",
    "X-Request-Start",
    "X-Rewrite-URL",
    "X-Accel-Internal",
    "Disguised-Host", // Azure
    "Was-Default-Hostname",
});

bool is_gateway_header(std::string_view name) noexcept
{
    const auto begins = [&](std::string_view prefix) { return same_name(name.substr(0, prefix.size()), prefix); };
    const auto is = [&](std::string_view other) { return same_name(name, other); };
    return std::any_of(prefixes.begin(), prefixes.end(), begins) || std::any_of(names.begin(), names.end(), is);
}

} // namespace alli::proxy
