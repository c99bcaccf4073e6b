// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/settings_check.hpp"

#include "daemon/settings/api_key.hpp"
#include "daemon/settings/cluster_settings.hpp"
#include "daemon/settings/duration.hpp"
#include "daemon/settings/egress.hpp"
#include "daemon/settings/operations.hpp"
#include "daemon/settings/path_check.hpp"
#include "daemon/settings/paths.hpp"
#include "daemon/settings/token_file.hpp"
#include "daemon/settings/webhook_settings.hpp"
#include "proxy/access/guard.hpp"
#include "proxy/listen_address.hpp"
#include "proxy/listener.hpp"
#include "upstream/curl/authorities.hpp"
#include "upstream/curl/origin.hpp"

#include <algorithm>
#include <array>

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

namespace {

/// Input of a check: the effective settings and their origins.
struct Checked {
    const Settings& settings;
    const Environment& environment;
    Config config;

    std::string origin_of(const std::string& key) const
    {
        const auto found = settings.origins.find(key);
        return found == settings.origins.end() ? "default" : found->second;
    }
};

// The proxy's own address as upstream.url would be an endless loop.
bool is_met(const asio::ip::tcp::endpoint& called, const asio::ip::tcp::endpoint& listened)
{
    const bool everywhere =
        listened.address().is_unspecified() && listened.address().is_v4() == called.address().is_v4();
    return called.port() == listened.port() && (everywhere || called.address() == listened.address());
}

// Invalid addresses are skipped: the check of proxy.listen reports them.
std::optional<asio::ip::tcp::endpoint> find_endpoint(const std::string& address)
{
    try {
        return proxy::read_tcp_address(address);
    } catch (const Error&) {
        return std::nullopt;
    }
}

void check_url(const Checked& it)
{
    const upstream::Origin site = upstream::read_origin(it.config.upstream_url);
    if (site.protocols != "http") return; // only a loopback host may be called so
    const bool has_port = site.host.find(':', site.host.find(']') + 1) != site.host.npos;
    const auto called = find_endpoint(has_port ? site.host : site.host + ":80");
    for (const std::string& address : it.config.listen) {
        const auto listened = address.starts_with(proxy::unix_prefix) ? std::nullopt : find_endpoint(address);
        if (called && listened && is_met(*called, *listened))
            throw Error(Fault::settings, "upstream.url is the service's address; local apps use the mirror's",
                        "upstream.url is the mirror's own address, {}", address);
    }
}

void check_mirror(const Checked& it)
{
    check_path("mirror.path", it.settings.config.mirror_path, it.origin_of("mirror.path"), it.environment);
    check_mirror_path(it.config.mirror_path);
}

void check_retention(const Checked& it)
{
    read_retention(it.config);
}

// {id} is replaced by the conversation's id, which goes into a path or a query.
void check_alli_url(const Checked& it)
{
    const std::string& url = it.config.alli_url;
    if (url.empty()) return;
    constexpr const char* hint = "such as https://app.example.com/conversations/{id}";
    if (!url.starts_with("https://") && !url.starts_with("http://"))
        throw Error(Fault::settings, hint, "page.alli_url must begin with https:// or http://");
    const auto path = url.find('/', url.find("://") + 3);
    if (path == url.npos || url.find("{id}", path) == url.npos)
        throw Error(Fault::settings, hint, "page.alli_url has no {{id}} in its path or query");
    if (url.find('@') < path) throw Error(Fault::settings, hint, "page.alli_url holds credentials");
    if (url.find_first_of(" \t\r\n\"'<>\\") != url.npos)
        throw Error(Fault::settings, hint, "page.alli_url holds what no address holds");
}

void check_address(const Checked& it, const std::string& address, const proxy::Options& options)
{
    if (address.starts_with(proxy::unix_prefix) && it.settings.is_set("proxy.listen")) {
        const std::string path = address.substr(proxy::unix_prefix.size());
        check_path("proxy.listen", path, it.origin_of("proxy.listen"), it.environment);
        check_socket_path(path);
    }
    proxy::check_address(address, options);
}

void check_listen(const Checked& it)
{
    if (it.config.listen.empty())
        throw Error(Fault::settings, "leave it out for the default", "there is no address to listen on");
    const proxy::Options options = guard_options(it.config);
    std::vector<std::string> before;
    for (const std::string& address : it.config.listen) {
        check_address(it, address, options);
        if (std::find(before.begin(), before.end(), address) != before.end() && !address.ends_with(":0"))
            throw Error(Fault::settings, "leave one of them out", "{} stands twice", address);
        before.push_back(address);
    }
}

void check_tokens(const Checked& it)
{
    check_path("proxy.tokens_file", it.config.tokens_file, it.origin_of("proxy.tokens_file"), it.environment);
    load_token_lines(find_tokens_file(it.settings.config, {it.config.mirror_path}), it.environment);
}

void check_proxy_password(const Checked& it)
{
    upstream::ForwardProxy proxy;
    try {
        proxy = read_proxy_address(it.config, it.environment);
    } catch (const Error&) {
        return; // which is said of the address
    }
    check_path("upstream.proxy_password_file", it.config.proxy_password_file,
               it.origin_of("upstream.proxy_password_file"), it.environment);
    add_proxy_password(proxy, it.settings, it.environment);
}

void check_cluster_password(const Checked& it)
{
    check_path("cluster.password_file", it.config.cluster.password_file, it.origin_of("cluster.password_file"),
               it.environment);
    load_cluster_password(it.settings, it.environment);
}

void check_authorities(const Checked& it)
{
    check_path("upstream.ca_file", it.config.ca_file, it.origin_of("upstream.ca_file"), it.environment);
    upstream::Authorities{it.config.ca_file};
}

void check_key_file(const Checked& it)
{
    check_path("upstream.api_key_file", it.config.api_key_file, it.origin_of("upstream.api_key_file"), it.environment);
}

void check_retries(const Checked& it)
{
    if (!it.settings.is_set("outbox.retry_initial")) return; // the default gives way to a shorter retry_max
    if (it.config.retry_initial > it.config.retry_max)
        throw Error(Fault::settings, "the first pause is the shortest",
                    "outbox.retry_initial is longer than retry_max");
}

struct Check {
    const char* key;
    void (*check)(const Checked&); // throws Error
};
constexpr auto checks = std::to_array<Check>({
    {"upstream.url", &check_url},
    {"upstream.api_key_file", &check_key_file},
    {"upstream.proxy", [](const Checked& it) { read_proxy_address(it.config, it.environment); }},
    {"upstream.proxy_password_file", &check_proxy_password},
    {"upstream.ca_file", &check_authorities},
    {"upstream.daily_count", [](const Checked& it) { check_operation(it.config, "upstream.daily_count"); }},
    {"upstream.update", [](const Checked& it) { check_operation(it.config, "upstream.update"); }},
    {"upstream.delete", [](const Checked& it) { check_operation(it.config, "upstream.delete"); }},
    {"upstream.title", [](const Checked& it) { check_operation(it.config, "upstream.title"); }},
    {"mirror.path", &check_mirror},
    {"mirror.retention", &check_retention},
    {"page.alli_url", &check_alli_url},
    {"proxy.listen", &check_listen},
    {"proxy.allowed_hosts", [](const Checked& it) { proxy::Guard{guard_options(it.config)}; }},
    {"proxy.allowed_origins", [](const Checked& it) { proxy::read_origins(it.config.allowed_origins); }},
    {"proxy.tokens_file", &check_tokens},
    {"outbox.retry_initial", &check_retries},
    {"cluster.url", [](const Checked& it) { check_cluster_setting(it.config, "cluster.url"); }},
    {"cluster.password_file", &check_cluster_password},
    {"cluster.schema", [](const Checked& it) { check_cluster_setting(it.config, "cluster.schema"); }},
    {"cluster.node", [](const Checked& it) { check_cluster_setting(it.config, "cluster.node"); }},
    {"cluster.lease", [](const Checked& it) { check_cluster_setting(it.config, "cluster.lease"); }},
    {"cluster.on_database_away",
     [](const Checked& it) { check_cluster_setting(it.config, "cluster.on_database_away"); }},
});

std::optional<Error> find_fault(const Check& check, const Checked& it)
{
    try {
        check.check(it);
        return std::nullopt;
    } catch (const Error& error) {
        std::string where = it.origin_of(check.key);
        const std::string_view what = error.what();
        if (what.find(check.key) == what.npos) where += fmt::format(": {}", check.key);
        return Error(Fault::settings, error.hint(), "{}: {}", where, what);
    }
}

} // namespace

std::vector<Error> find_faults(const Settings& settings, const Environment& environment)
{
    const Checked it{settings, environment, effective_config(settings, environment)};
    std::vector<Error> faults;
    for (const Check& check : checks)
        if (auto fault = find_fault(check, it)) faults.push_back(std::move(*fault));
    for (Error& fault : find_webhook_faults(settings, environment)) faults.push_back(std::move(fault));
    return faults;
}

void require_sound(const Settings& settings, const Environment& environment,
                   std::initializer_list<std::string_view> sections)
{
    const Checked it{settings, environment, effective_config(settings, environment)};
    for (const Check& check : checks) {
        const std::string_view key = check.key;
        if (std::find(sections.begin(), sections.end(), key.substr(0, key.find('.'))) == sections.end()) continue;
        if (const auto fault = find_fault(check, it)) throw Error(*fault);
    }
}

} // namespace alli::daemon
