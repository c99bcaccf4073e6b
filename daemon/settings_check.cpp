// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings_check.hpp"

#include "daemon/api_key.hpp"
#include "daemon/egress.hpp"
#include "daemon/places.hpp"
#include "proxy/guard.hpp"
#include "proxy/listener.hpp"
#include "upstream/authorities.hpp"
#include "upstream/site.hpp"

namespace alli::daemon {

Config effective_config(const Settings& settings, const Environment& environment)
{
    Config config = settings.config;
    config.mirror_path = mirror_path(settings, environment);
    config.listen = listen_addresses(settings, environment).addresses;
    return config;
}

static proxy::Options guard_options(const Config& config)
{
    proxy::Options options;
    options.require_key = config.auth == "api-key";
    options.allow_remote = config.allow_remote;
    options.allowed_hosts = config.allowed_hosts;
    return options;
}

static void check_listen(const Config& config)
{
    if (config.listen.empty())
        throw Error(Fault::settings, "leave it out for the default", "there is no address to listen on");
    const proxy::Options options = guard_options(config);
    for (const std::string& address : config.listen) proxy::check_address(address, options);
}

static void check_proxy_password(const Settings& settings, const Environment& environment)
{
    upstream::ForwardProxy proxy;
    try {
        proxy = read_proxy_address(settings.config, environment);
    } catch (const Error&) {
        return; // which is said of the address
    }
    add_proxy_password(proxy, settings, environment);
}

std::vector<Error> find_faults(const Settings& settings, const Environment& environment)
{
    struct Check {
        const char* key;
        std::function<void(const Config&)> check; // throws Error
    };
    const std::vector<Check> checks{
        {"upstream.url", [](const Config& config) { upstream::read_site(config.upstream_url); }},
        {"upstream.proxy", [&](const Config& config) { read_proxy_address(config, environment); }},
        {"upstream.proxy_password_file", [&](const Config&) { check_proxy_password(settings, environment); }},
        {"upstream.ca_file", [](const Config& config) { upstream::Authorities{config.ca_file}; }},
        {"proxy.listen", &check_listen},
        {"proxy.allowed_hosts", [](const Config& config) { proxy::Guard{guard_options(config)}; }},
        {"proxy.tokens_file", [&](const Config& config) { load_tokens(config.tokens_file, environment); }},
    };
    const Config config = effective_config(settings, environment);
    std::vector<Error> faults;
    for (const Check& it : checks) try {
            it.check(config);
        } catch (const Error& error) {
            const auto origin = settings.origins.find(it.key);
            std::string where = origin == settings.origins.end() ? "default" : origin->second;
            const std::string_view what = error.what();
            if (what.find(it.key) == what.npos) where += fmt::format(": {}", it.key);
            faults.push_back(Error(Fault::settings, error.hint(), "{}: {}", where, what));
        }
    return faults;
}

} // namespace alli::daemon
