// SPDX-License-Identifier: Apache-2.0
#include "cluster/postgres/url.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace alli::cluster {
namespace {

using Words = std::map<std::string, std::string>;

struct Parsed {
    Words words;
    std::string fault;
};

Parsed parse(const std::string& url)
{
    char* said = nullptr;
    const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(PQconninfoParse(url.c_str(), &said),
                                                                                 PQconninfoFree);
    const std::unique_ptr<char, void (*)(void*)> owned(said, PQfreemem);
    if (!options) return {{}, said ? std::string(said).substr(0, std::string(said).find('\n')) : "no memory"};
    Parsed parsed;
    for (const PQconninfoOption* option = options.get(); option->keyword; ++option)
        if (option->val) parsed.words[option->keyword] = option->val;
    return parsed;
}

std::string word(const Words& words, const std::string& key)
{
    const auto found = words.find(key);
    return found == words.end() ? "" : found->second;
}

/// "a,,b": three. Of one that is empty libpq takes the default.
std::vector<std::string> split(std::string_view list)
{
    std::vector<std::string> parts;
    for (;;) {
        const std::size_t comma = list.find(',');
        parts.emplace_back(list.substr(0, comma));
        if (comma == list.npos) return parts;
        list.remove_prefix(comma + 1);
    }
}

std::string part(const std::vector<std::string>& parts, std::size_t at)
{
    return parts.size() == 1 ? parts.front() : at < parts.size() ? parts[at] : "";
}

constexpr const char* default_socket = "/var/run/postgresql";

bool is_this_machine(std::string_view host)
{
    return host.empty() || host.front() == '/' || host.front() == '@' || host == "localhost" || host == "::1" ||
           host.starts_with("127.");
}

std::vector<Target> hosts_of(const Words& words)
{
    const auto hosts = split(word(words, "host")), addresses = split(word(words, "hostaddr")),
               ports = split(word(words, "port"));
    std::vector<Target> targets;
    for (std::size_t at = 0; at < std::max(hosts.size(), addresses.size()); ++at) {
        Target target{part(hosts, at), {}};
        if (const std::string address = part(addresses, at); !address.empty()) target.words["hostaddr"] = address;
        if (target.host.empty()) target.host = part(addresses, at).empty() ? default_socket : part(addresses, at);
        target.words["host"] = target.host;
        if (const std::string port = part(ports, at); !port.empty()) target.words["port"] = port;
        targets.push_back(std::move(target));
    }
    return targets;
}

bool is_local(const Target& target)
{
    const std::string address = word(target.words, "hostaddr");
    return is_this_machine(address.empty() ? target.host : address);
}

/// Where the system keeps the authorities that it trusts; libpq looks in the user's home alone.
constexpr const char* system_authorities = "/etc/ssl/certs/ca-certificates.crt";

} // namespace

std::optional<std::string> find_url_fault(const std::string& url)
{
    if (!url.starts_with("postgresql://") && !url.starts_with("postgres://")) return "must begin with postgresql://";
    const Parsed parsed = parse(url);
    if (!parsed.fault.empty()) return parsed.fault;
    if (parsed.words.contains("password"))
        return "must hold no password: it belongs into cluster.password_file or the credential alli-database-password";
    const auto targets = hosts_of(parsed.words);
    const std::string mode = word(parsed.words, "sslmode");
    if (!mode.empty() && mode != "verify-full" && !std::all_of(targets.begin(), targets.end(), is_local))
        return "must have sslmode=verify-full, or none, for a host on another machine";
    return std::nullopt;
}

std::vector<Target> read_url(const std::string& url, const std::string& password)
{
    const Words given = parse(url).words;
    std::vector<Target> targets = hosts_of(given);
    for (Target& target : targets) {
        Words words{{"application_name", "alli-mirror"},
                    {"target_session_attrs", "read-write"},
                    {"sslmode", is_local(target) ? "prefer" : "verify-full"},
                    {"sslrootcert", system_authorities},
                    {"tcp_user_timeout", "5000"},
                    {"keepalives_idle", "5"}};
        if (is_local(target)) words.erase("sslrootcert"); // with it, `prefer` would verify
        for (const auto& [key, value] : given) words[key] = value;
        for (const char* const key : {"host", "hostaddr", "port"}) words.erase(key);
        words.insert(target.words.begin(), target.words.end());
        words["client_encoding"] = "UTF8";
        words["gssencmode"] = "disable";
        if (!password.empty()) words["password"] = password;
        target.words = std::move(words);
    }
    return targets;
}

std::string database_of(const std::string& url)
{
    const Words words = parse(url).words;
    return word(words, "dbname").empty() ? word(words, "user") : word(words, "dbname");
}

} // namespace alli::cluster
