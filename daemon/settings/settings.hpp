// SPDX-License-Identifier: Apache-2.0
// What can be set. A setting is a member here, with its default, and a row of the table in settings.cpp: the TOML key,
// the environment variable, the flag, the error messages and docs/settings.md come from the row. load_settings.hpp
// reads the values.
#pragma once

#include "alli/error.hpp"
#include "daemon/settings/toml_file.hpp"

#include <chrono>
#include <concepts>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace alli::daemon {

/// A [[webhook]] table of the settings file (webhook_settings.hpp).
struct WebhookSettings {
    std::string url, secret_file;
    std::vector<std::string> events; // empty: all
    std::string where;               // "FILE:LINE"

    friend bool operator==(const WebhookSettings& a, const WebhookSettings& b) // wherever they stand
    {
        return a.url == b.url && a.secret_file == b.secret_file && a.events == b.events;
    }
};

/// The section [cluster]; cluster_settings.hpp makes of it what a node needs.
struct ClusterSettings {
    std::string url; // empty: this machine alone
    std::string password_file;
    std::string schema = "alli_mirror";
    std::string node; // empty: see cluster_settings.hpp
    std::string role = "full";
    std::chrono::milliseconds lease{4'000};
    std::string on_database_away = "refuse";

    bool enabled() const { return !url.empty(); }
    bool may_lead() const { return role == "full"; }
};

struct Config {
    std::string upstream_url = "https://backend.alli.ai";
    std::string api_key_file = "/etc/alli-mirror/api-key";
    std::string upstream_proxy; // empty: none; egress.hpp reads it
    std::string proxy_password_file;
    std::string ca_file;
    int max_connections = 4;
    double requests_per_second = 10;
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds request_timeout{30'000};
    std::string time_unit = "auto";
    std::chrono::milliseconds read_lag{10'000};
    std::string daily_count = "GET /webapi/v2/conversations/daily_count"; // operations.hpp reads these
    std::string update = "PUT /webapi/v2/conversations/{id}";
    std::string remove = "DELETE /webapi/v2/conversations/{id}";
    std::string title = "PUT /webapi/v2/conversations/{id}/title";

    std::string mirror_path; // empty: see paths.hpp
    std::string retention;   // a duration; empty: everything is kept

    std::chrono::milliseconds sync_interval{30'000};
    std::chrono::milliseconds sync_overlap{600'000};
    std::chrono::milliseconds reconcile_interval{86'400'000};
    std::string backfill_since;
    std::vector<std::string> variables;

    std::vector<std::string> listen; // empty: see paths.hpp
    std::string auth = "api-key";
    std::string tokens_file;
    std::vector<std::string> allowed_hosts{"127.0.0.1", "localhost", "[::1]"};
    std::vector<std::string> ignored_parameters{"_"};
    std::vector<std::string> allowed_origins;
    bool allow_remote = false;
    std::string on_key_rejected = "serve";
    std::chrono::milliseconds max_age{60'000};
    std::chrono::milliseconds forward_timeout{10'000};
    int proxy_loops = 0;
    int response_cache_mb = 16;

    std::chrono::milliseconds retry_initial{1'000};
    std::chrono::milliseconds retry_max{300'000};
    std::string on_conflict = "hold";

    ClusterSettings cluster;

    bool mcp_mask = true;

    std::string alli_url;

    std::vector<WebhookSettings> webhooks;

    std::string log_level = "info";
    std::string log_format = "text";
};

using Field = std::variant<std::string Config::*, std::vector<std::string> Config::*, bool Config::*, int Config::*,
                           double Config::*, std::chrono::milliseconds Config::*, std::string ClusterSettings::*,
                           std::chrono::milliseconds ClusterSettings::*>;

/// What a field holds, for std::visit; `config` may be const.
template <class Any, class Value>
auto& value_of(Any& config, Value Config::*field)
{
    return config.*field;
}
template <class Any, class Value>
auto& value_of(Any& config, Value ClusterSettings::*field)
{
    return config.cluster.*field;
}

/// What a value must be beyond its type, and when a change of it takes effect.
struct Rule {
    std::string_view choices = {}; // "a, b, c"; empty: anything
    double least = 0, most = 1e6;  // for numbers
    bool date = false;             // a date or a time, or empty
    bool reloads = false;          // a reload takes it over; any other waits for a restart
};

struct Setting {
    std::string_view key; // "section.name"
    Field field;
    std::string_view help;
    Rule rule = {};
    bool secret = false; // its value is never shown, not in an error either
};

std::span<const Setting> setting_table();

/// A name that a setting had in an earlier version. It still works, with a note; its value is the setting's after
/// `before`.
struct FormerKey {
    std::string_view key, now, before;
};
std::span<const FormerKey> former_keys();

struct Settings {
    Config config;
    std::string file;                           // the settings file that was read; empty: none
    std::vector<std::string> notes;             // what works, and should be written otherwise
    std::map<std::string, std::string> origins; // key -> "FILE:LINE", variable or flag; not in it: the default

    bool is_set(const std::string& key) const { return origins.contains(key); }
};

/// Environment, by name; none where it is not set. `names`: the variables in it that load_settings() must know.
class Environment {
  public:
    using Read = std::function<std::optional<std::string>(const std::string&)>;

    Environment() = default;
    template <std::convertible_to<Read> Any>
    requires(!std::same_as<std::remove_cvref_t<Any>, Environment>)
        Environment(Any read, std::vector<std::string> names = {})
        : read_(std::move(read)), names_(std::move(names))
    {}

    std::optional<std::string> operator()(const std::string& name) const { return read_(name); }
    const std::vector<std::string>& names() const { return names_; }

  private:
    Read read_;
    std::vector<std::string> names_;
};
std::optional<std::string> process_environment(const std::string& name);

/// Settings given on the command line: key -> text, written as in the environment.
using Flags = std::map<std::string, std::string>;

/// "sync.interval" -> "ALLI_MIRROR_SYNC_INTERVAL" and "--sync-interval".
std::string variable_of(std::string_view key);
std::string flag_of(std::string_view key);

} // namespace alli::daemon
