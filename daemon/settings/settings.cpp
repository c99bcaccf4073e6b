// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/settings.hpp"

#include <array>
#include <cstdlib>

namespace alli::daemon {

// THE table. The default is the member's initializer in settings.hpp. What reloads is taken over by reload.cpp.
static const auto settings = std::to_array<Setting>({
    {"upstream.url", &Config::upstream_url, "base address of the Alli API"},
    {"upstream.api_key_file", &Config::api_key_file, "file that holds the project's API key, mode 0600"},
    {"upstream.proxy", &Config::upstream_proxy,
     "proxy towards upstream: http://user@host:port, socks5h://host:port, or environment (HTTPS_PROXY, NO_PROXY)"},
    {"upstream.proxy_password_file", &Config::proxy_password_file,
     "file that holds the password of that proxy's user, mode 0600"},
    {"upstream.ca_file", &Config::ca_file,
     "file of certificate authorities (PEM) that are trusted besides the system's"},
    {"upstream.max_connections",
     &Config::max_connections,
     "connections to upstream at a time",
     {.least = 1, .most = 64}},
    {"upstream.requests_per_second", &Config::requests_per_second, "request budget; 0 is no limit"},
    {"upstream.connect_timeout", &Config::connect_timeout, "how long a connection may take"},
    {"upstream.request_timeout", &Config::request_timeout, "how long a request may go without progress"},
    {"upstream.time_unit", &Config::time_unit, "unit of upstream's times", {.choices = "auto, s, ms"}},
    {"upstream.read_lag", &Config::read_lag, "for how long upstream's reads may show the state before a write of ours"},
    {"upstream.daily_count", &Config::daily_count, "method and path of the daily counts, as upstream has them"},
    {"upstream.update", &Config::update, "method and path of a conversation's update; {id} is the conversation's"},
    {"upstream.delete", &Config::remove, "method and path of a conversation's deletion"},
    {"upstream.title", &Config::title, "method and path of a conversation's renaming; may be those of the update"},
    {"mirror.path", &Config::mirror_path, "the mirror's file; outbox.db lies beside it"},
    {"mirror.retention", &Config::retention,
     "keep only conversations whose last chat is younger, such as 365d; empty keeps all"},
    {"sync.interval", &Config::sync_interval, "pause between two polls"},
    {"sync.overlap", &Config::sync_overlap, "how far a poll looks back beyond the last one"},
    {"sync.reconcile_interval", &Config::reconcile_interval, "how often everything is compared again"},
    {"sync.backfill_since",
     &Config::backfill_since,
     "mirror only what is younger; a day is one of this machine's time zone; empty is everything",
     {.date = true}},
    {"sync.variables", &Config::variables, "conversation variables to mirror"},
    {"proxy.listen", &Config::listen, "addresses to listen on: HOST:PORT or unix:/path"},
    {"proxy.auth", &Config::auth, "what a request must carry", {.choices = "api-key, none"}},
    {"proxy.tokens_file",
     &Config::tokens_file,
     "tokens of local apps: names, scopes, hashes (alli-mirror token); by default tokens beside the mirror",
     {.reloads = true}},
    {"proxy.allowed_hosts", &Config::allowed_hosts, "names that a Host header may carry"},
    {"proxy.ignored_parameters", &Config::ignored_parameters,
     "parameters of reads that change nothing but break caches"},
    {"proxy.allowed_origins", &Config::allowed_origins, "origins of web apps that may call: https://app.example.com"},
    {"proxy.allow_remote", &Config::allow_remote, "allow to listen on anything but loopback"},
    {"proxy.on_key_rejected",
     &Config::on_key_rejected,
     "when upstream refuses the key",
     {.choices = "serve, refuse", .reloads = true}},
    {"proxy.max_age", &Config::max_age, "how long a verified mirror counts as fresh", {.reloads = true}},
    {"proxy.forward_timeout",
     &Config::forward_timeout,
     "how long a local app waits for upstream's own answer",
     {.reloads = true}},
    {"proxy.loops",
     &Config::proxy_loops,
     "event loops, a thread each; 0: one a processor, at most 8",
     {.least = 0, .most = 64}},
    {"proxy.response_cache_mb",
     &Config::response_cache_mb,
     "memory for responses that are kept until the mirror changes, in MB; 0 keeps none",
     {.least = 0, .most = 65'536}},
    {"outbox.retry_initial", &Config::retry_initial, "first pause before a write is tried again"},
    {"outbox.retry_max", &Config::retry_max, "longest pause before a write is tried again"},
    {"outbox.on_conflict",
     &Config::on_conflict,
     "when upstream changed the same fields",
     {.choices = "hold, overwrite"}},
    {"cluster.url", &ClusterSettings::url,
     "the database that several machines share: postgresql://USER@HOST1,HOST2/DATABASE; empty: this machine alone"},
    {"cluster.password_file", &ClusterSettings::password_file, "file that holds that user's password, mode 0600"},
    {"cluster.schema", &ClusterSettings::schema, "schema of the cluster's tables: one project each"},
    {"cluster.node", &ClusterSettings::node,
     "this node's name; by default the host's and a random suffix that is kept beside the mirror"},
    {"cluster.role", &ClusterSettings::role, "full: it may lead; reader: it follows only", {.choices = "full, reader"}},
    {"cluster.lease", &ClusterSettings::lease,
     "without a sign of the leader for so long another node takes over; 2s to 60s, the same at all nodes"},
    {"cluster.on_database_away",
     &ClusterSettings::on_database_away,
     "writes while the database is away: refuse; keep is not available yet",
     {.choices = "refuse, keep"}},
    {"mcp.mask", &Config::mcp_mask,
     "replace e-mail addresses, phone, card and resident registration numbers in what an assistant gets"},
    {"page.alli_url", &Config::alli_url,
     "where the page's Open in Alli leads: an address with {id} for the conversation's id; empty: no such link"},
    {"log.level", &Config::log_level, "what is logged", {.choices = "debug, info, warn, error", .reloads = true}},
    {"log.format", &Config::log_format, "how it is logged", {.choices = "text, json", .reloads = true}},
});

static constexpr auto former = std::to_array<FormerKey>({
    {"upstream.daily_count_path", "upstream.daily_count", "GET "}, // 0.1
});

std::span<const FormerKey> former_keys()
{
    return former;
}

std::span<const Setting> setting_table()
{
    return settings;
}

std::optional<std::string> process_environment(const std::string& name)
{
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
}

std::string variable_of(std::string_view key)
{
    std::string name = "ALLI_MIRROR_";
    for (char letter : key)
        name += letter == '.' ? '_' : static_cast<char>(letter >= 'a' && letter <= 'z' ? letter - 'a' + 'A' : letter);
    return name;
}

std::string flag_of(std::string_view key)
{
    std::string name = "--" + std::string(key);
    for (char& letter : name)
        if (letter == '.' || letter == '_') letter = '-';
    return name;
}

} // namespace alli::daemon
