// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/cluster_settings.hpp"

#include "alli/disk.hpp"
#include "alli/random.hpp"
#include "cluster/libpq/url.hpp"
#include "daemon/settings/duration.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

namespace alli::daemon {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz", digits = "0123456789";
constexpr milliseconds shortest_lease{2'000}, longest_lease{60'000};
constexpr std::size_t longest_name = 63;                                      // of a schema, in PostgreSQL
constexpr std::size_t longest_schema = longest_name - std::size("_read") + 1; // the analysts' has that behind it
constexpr std::size_t longest_node = 100;

bool holds_only(std::string_view text, std::string_view allowed)
{
    return text.find_first_not_of(allowed) == text.npos;
}

void check_url(const ClusterSettings& settings)
{
    if (!settings.enabled()) return;
    if (const auto fault = cluster::find_url_fault(settings.url))
        throw Error(Fault::settings, "such as postgresql://alli_mirror@db.example.com/alli", "cluster.url {}", *fault);
    if (cluster::database_of(settings.url).empty())
        throw Error(Fault::settings, "such as postgresql://alli_mirror@db.example.com/alli",
                    "cluster.url names no database");
}

void check_schema(const ClusterSettings& settings)
{
    const std::string allowed = std::string(letters) + std::string(digits) + '_';
    const std::string& name = settings.schema;
    const bool is_name = !name.empty() && name.size() <= longest_schema && holds_only(name, allowed) &&
                         !holds_only(name.substr(0, 1), digits);
    if (!is_name)
        throw Error(Fault::settings, "such as alli_mirror",
                    "cluster.schema must be of small letters, digits and _, begin with no digit and have at most {}",
                    longest_schema);
    if (name.starts_with("pg_") || name == "information_schema")
        throw Error(Fault::settings, "such as alli_mirror", "cluster.schema is a name of PostgreSQL's own");
}

bool is_node_name(std::string_view name)
{
    return !name.empty() && name.size() <= longest_node &&
           std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 127; });
}

void check_node(const ClusterSettings& settings)
{
    if (!settings.node.empty() && !is_node_name(settings.node))
        throw Error(Fault::settings, "such as db-1; leave it out for the host's name",
                    "cluster.node must be of ASCII letters, digits and signs without blanks, at most {}", longest_node);
}

void check_lease(const ClusterSettings& settings)
{
    if (settings.lease < shortest_lease || settings.lease > longest_lease)
        throw Error(Fault::settings, "4s unless the network to the database is slow", "cluster.lease must be {} to {}",
                    write_duration(shortest_lease), write_duration(longest_lease));
}

void check_database_away(const ClusterSettings& settings)
{
    if (settings.on_database_away == "keep")
        throw Error(Fault::settings, "\"refuse\", the default: such writes are answered with 503",
                    "cluster.on_database_away = \"keep\" is not available in this version, \"refuse\" is");
}

struct Check {
    std::string_view key;
    void (*check)(const ClusterSettings&);
};
constexpr auto checks = std::to_array<Check>({
    {"cluster.url", &check_url},
    {"cluster.schema", &check_schema},
    {"cluster.node", &check_node},
    {"cluster.lease", &check_lease},
    {"cluster.on_database_away", &check_database_away},
});

std::string host_name()
{
    std::array<char, 65> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0 || !is_node_name(name.data())) return "node";
    return name.data();
}

constexpr std::size_t suffix_length = 8;

std::string suffix_file(const std::string& mirror_path)
{
    return parent_directory(mirror_path) + "/node";
}

// Only the suffix is kept: of a machine that is cloned and renamed the name is another.
std::optional<std::string> find_suffix(const std::string& mirror_path)
{
    std::ifstream file(suffix_file(mirror_path));
    std::string line;
    std::getline(file, line);
    const bool is_one = line.size() == suffix_length && holds_only(line, "0123456789abcdef");
    return is_one ? std::optional(line) : std::nullopt;
}

std::string make_suffix(const std::string& mirror_path)
{
    SystemRandom random;
    const std::string suffix = fmt::format("{:016x}", random.next()).substr(0, suffix_length);
    const std::string file = suffix_file(mirror_path);
    if (const std::error_code why = write_file(file, suffix + '\n'))
        throw Error(Fault::io, "or set cluster.node", "cannot write {}, which keeps this node's name: {}", file,
                    why.message());
    return suffix;
}

/// "10.0.0.5:8787", or with this host's name where it listens on all addresses; empty: only this machine reaches it.
std::string address_for_others(const std::vector<std::string>& listen)
{
    for (const std::string& address : listen) {
        const auto colon = address.rfind(':');
        if (address.starts_with("unix:") || colon == address.npos) continue;
        const std::string host = address.substr(0, colon), port = address.substr(colon);
        if (host == "0.0.0.0" || host == "[::]") return host_name() + port;
        if (!host.starts_with("127.") && host != "[::1]" && host != "localhost") return address;
    }
    return "";
}

} // namespace

void check_cluster_setting(const Config& config, std::string_view key)
{
    for (const Check& check : checks)
        if (check.key == key) check.check(config.cluster);
}

bool is_showable_cluster_url(const std::string& url)
{
    return !cluster::find_url_fault(url);
}

std::optional<std::string> find_node_name(const ClusterSettings& settings, const std::string& mirror_path)
{
    if (!settings.node.empty()) return settings.node;
    const auto suffix = find_suffix(mirror_path);
    return suffix ? std::optional(host_name() + '-' + *suffix) : std::nullopt;
}

std::string load_node_name(const ClusterSettings& settings, const std::string& mirror_path)
{
    if (const auto name = find_node_name(settings, mirror_path)) return *name;
    return host_name() + '-' + make_suffix(mirror_path);
}

cluster::PostgresOptions postgres_options(const ClusterSettings& settings, std::string password, std::string node)
{
    SystemRandom random;
    cluster::PostgresOptions options;
    options.url = settings.url;
    options.password = std::move(password);
    options.schema = settings.schema;
    options.self.holder = fmt::format("{:016x}{:016x}", random.next(), random.next());
    options.self.node = std::move(node);
    options.self.lease = settings.lease;
    return options;
}

cluster::NodeOptions node_options(const ClusterSettings& settings, std::string node,
                                  const std::vector<std::string>& listen)
{
    cluster::NodeOptions options;
    options.name = std::move(node);
    options.version = ALLI_VERSION;
    options.address = address_for_others(listen);
    options.may_lead = settings.may_lead();
    options.lease = settings.lease;
    return options;
}

} // namespace alli::daemon
