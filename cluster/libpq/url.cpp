// SPDX-License-Identifier: Apache-2.0
#include "cluster/libpq/url.hpp"

#include <arpa/inet.h>
#include <libpq-fe.h>

#include <algorithm>
#include <memory>
#include <string_view>

namespace alli::cluster {
namespace {

using Words = std::map<std::string, std::string>;

// Nothing of it is quoted, and what libpq says is not passed on: a password may stand where none belongs.
constexpr const char* unreadable =
    "is not one that can be read: are its words libpq's, its port a number, its special characters percent-encoded?";

/// None: libpq does not read it.
std::optional<Words> parse(const std::string& url)
{
    const std::unique_ptr<PQconninfoOption, void (*)(PQconninfoOption*)> options(PQconninfoParse(url.c_str(), nullptr),
                                                                                 PQconninfoFree);
    if (!options) return std::nullopt;
    Words words;
    for (const PQconninfoOption* option = options.get(); option->keyword; ++option)
        if (option->val) words[option->keyword] = option->val;
    return words;
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

/// An address and no name: "127.db.example.com" is anywhere.
bool is_loopback(const std::string& host)
{
    in_addr address{};
    return inet_pton(AF_INET, host.c_str(), &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

bool is_this_machine(const std::string& host)
{
    return host.empty() || host.front() == '/' || host.front() == '@' || host == "localhost" || host == "::1" ||
           is_loopback(host);
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

// In "//user:a/b@host" libpq takes "a" for the port.
bool has_numbers_as_ports(const Words& words)
{
    const std::string ports = word(words, "port");
    return ports.find_first_not_of("0123456789,") == ports.npos;
}

/// Where the system keeps the authorities that it trusts; libpq looks in the user's home alone.
constexpr const char* system_authorities = "/etc/ssl/certs/ca-certificates.crt";

} // namespace

std::optional<std::string> find_url_fault(const std::string& url)
{
    if (!url.starts_with("postgresql://") && !url.starts_with("postgres://")) return "must begin with postgresql://";
    const std::optional<Words> words = parse(url);
    if (!words || !has_numbers_as_ports(*words)) return unreadable;
    if (words->contains("password") || words->contains("sslpassword"))
        return "must hold no password: it belongs into cluster.password_file or the credential alli-database-password";
    const auto targets = hosts_of(*words);
    const std::string mode = word(*words, "sslmode");
    if (!mode.empty() && mode != "verify-full" && !std::all_of(targets.begin(), targets.end(), is_local))
        return "must have sslmode=verify-full, or none, for a host on another machine";
    return std::nullopt;
}

std::vector<Target> read_url(const std::string& url, const std::string& password)
{
    const Words given = parse(url).value_or(Words());
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
    const Words words = parse(url).value_or(Words());
    return word(words, "dbname").empty() ? word(words, "user") : word(words, "dbname");
}

} // namespace alli::cluster
