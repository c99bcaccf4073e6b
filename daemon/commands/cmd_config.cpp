// SPDX-License-Identifier: Apache-2.0
// `config show|check`: the settings as they take effect, each with where it comes from, and what is wrong with them.
#include "daemon/commands/commands.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/status.hpp"
#include "daemon/settings/api_key.hpp"
#include "daemon/settings/assign.hpp"
#include "daemon/settings/cluster_settings.hpp"
#include "daemon/settings/paths.hpp"
#include "daemon/settings/settings_check.hpp"
#include "daemon/settings/webhook_settings.hpp"
#include "upstream/curl/forward_proxy.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

namespace alli::daemon {

static constexpr const char* mask = "\"********\"";

// Only one that can be used is known to hold no password.
static bool is_usable_proxy(const std::string& text)
try {
    if (text != "environment") upstream::read_forward_proxy(text, "upstream.proxy");
    return true;
} catch (const Error&) {
    return false;
}

static std::string shown(const Config& config, const Setting& setting)
{
    const std::string text = toml_text(config, setting);
    if (setting.key == "upstream.proxy") return is_usable_proxy(config.upstream_proxy) ? text : mask;
    if (setting.key == "cluster.url")
        return config.cluster.url.empty() || is_showable_cluster_url(config.cluster.url) ? text : mask;
    const bool names_user = text.find("://") != text.npos && text.find('@') != text.npos; // a URL with a password
    const bool is_no_path =
        setting.key.ends_with("_file") && text != "\"\"" && !text.starts_with("\"/"); // the key itself?
    return setting.secret || names_user || is_no_path ? mask : text;
}

static std::string origin_of(const Settings& settings, const Setting& setting)
{
    const auto found = settings.origins.find(std::string(setting.key));
    return found == settings.origins.end() ? "default" : found->second;
}

/// Where serve would take the key from; the key itself is not read.
static std::string key_origin(const Settings& settings, const Environment& environment)
{
    const KeySource source = find_key_source(settings, environment);
    const bool missing = source.kind == KeySource::Kind::file && ::access(source.name.c_str(), F_OK) != 0;
    return missing ? "" : source.name;
}

static std::string section_of(std::string_view key)
{
    return std::string(key.substr(0, key.find('.')));
}

// The query of the address may hold a secret, and a path that is none may be one itself.
static Json webhook_json(const WebhookSettings& webhook)
{
    Json json;
    json["url"] = webhook.url.find('@') == webhook.url.npos ? webhook_address(webhook.url) : "********";
    json["secret_file"] =
        webhook.secret_file.empty() || webhook.secret_file.starts_with('/') ? webhook.secret_file : "********";
    json["events"] = webhook.events;
    return json;
}

/// As TOML that could be a settings file.
static void print_toml(const Settings& settings, const Config& config, const std::string& key, const std::string& note,
                       bool changed)
{
    fmt::print("# settings file: {}\n", settings.file.empty() ? "none" : printable_line(settings.file));
    fmt::print("# API key: {}\n", key.empty() ? "none" : fmt::format("******** (from {})", printable_line(key)));
    if (!note.empty()) fmt::print("# {}\n", printable_line(note));
    for (const std::string& one : settings.notes) fmt::print("# {}\n", printable_line(one));
    std::string section;
    for (const Setting& setting : setting_table()) {
        if (changed && !settings.is_set(std::string(setting.key))) continue;
        if (section != section_of(setting.key)) {
            section = section_of(setting.key);
            fmt::print("\n[{}]\n", section);
        }
        const std::string line = fmt::format("{} = {}", setting.key.substr(section.size() + 1), shown(config, setting));
        fmt::print("{:<48} # {}\n", printable_line(line), printable_line(origin_of(settings, setting)));
    }
    for (const WebhookSettings& webhook : config.webhooks) {
        fmt::print("\n[[webhook]] # {}\n", printable_line(webhook.where));
        const Json json = webhook_json(webhook);
        for (const char* name : {"url", "secret_file", "events"})
            fmt::print("{} = {}\n", name, printable_line(json[name].dump()));
    }
}

static Json settings_json(const Settings& settings, const Config& config, const std::string& key,
                          const std::string& note, bool changed)
{
    Json json;
    json["file"] = settings.file.empty() ? Json(nullptr) : Json(settings.file);
    json["apiKey"] = key.empty() ? Json(nullptr) : Json({{"value", "********"}, {"origin", key}});
    json["note"] = note.empty() ? Json(nullptr) : Json(note);
    json["settings"] = Json::array();
    for (const Setting& setting : setting_table()) {
        if (changed && !settings.is_set(std::string(setting.key))) continue;
        Json one;
        one["key"] = std::string(setting.key);
        one["value"] = shown(config, setting);
        one["origin"] = origin_of(settings, setting);
        one["default"] = toml_text(Config{}, setting);
        one["environment"] = variable_of(setting.key);
        one["flag"] = flag_of(setting.key);
        one["help"] = std::string(setting.help);
        json["settings"].push_back(std::move(one));
    }
    json["webhooks"] = Json::array();
    for (const WebhookSettings& webhook : config.webhooks) {
        Json one = webhook_json(webhook);
        one["origin"] = webhook.where;
        json["webhooks"].push_back(std::move(one));
    }
    return json;
}

struct ConfigArguments {
    bool json = false, changed = false;
};

static int show(const ConfigArguments& arguments, const Context& context)
{
    const Settings settings = context.settings();
    const Config config = effective_config(settings, context.environment);
    const std::string key = key_origin(settings, context.environment);
    const std::string note = listen_addresses(settings, context.environment).note;
    if (arguments.json)
        print_json(dump(settings_json(settings, config, key, note, arguments.changed), 2));
    else
        print_toml(settings, config, key, note, arguments.changed);
    return 0;
}

static int report(const Settings& settings, const std::vector<Error>& faults, bool as_json)
{
    constexpr int wrong_settings = 2;
    if (as_json) {
        Json json;
        json["file"] = settings.file.empty() ? Json(nullptr) : Json(settings.file);
        json["faults"] = Json::array();
        json["notes"] = settings.notes;
        for (const Error& fault : faults) json["faults"].push_back({{"what", fault.what()}, {"hint", fault.hint()}});
        print_json(dump(json, 2));
    } else if (faults.empty()) {
        fmt::print("{}: all well\n", settings.file.empty() ? "no settings file, defaults" : settings.file);
    }
    if (!as_json)
        for (const std::string& note : settings.notes) fmt::print("note: {}\n", printable_line(note));
    if (!as_json)
        for (const Error& fault : faults) print_failure(fault.what(), fault.hint());
    return faults.empty() ? 0 : wrong_settings;
}

static int check(const ConfigArguments& arguments, const Context& context)
{
    std::vector<Error> faults;
    const Settings settings = load_settings(context.settings_file, context.environment, context.flags, &faults);
    for (Error& fault : find_faults(settings, context.environment)) faults.push_back(std::move(fault));
    if (const auto fault = find_key_fault(settings, context.environment)) faults.push_back(*fault);
    return report(settings, faults, arguments.json);
}

Action add_config(CLI::App& arguments)
{
    auto chosen = std::make_shared<ConfigArguments>();
    auto action = std::make_shared<Action>();
    arguments.require_subcommand(1);
    const auto add = [&](const char* name, const char* help, int (*does)(const ConfigArguments&, const Context&)) {
        CLI::App* sub = arguments.add_subcommand(name, help);
        sub->add_flag("--json", chosen->json, "as JSON");
        sub->callback([=] { *action = [=](const Context& context) { return does(*chosen, context); }; });
        return sub;
    };
    add("show", "the settings as they take effect, as TOML, and where each comes from", &show)
        ->add_flag("--changed", chosen->changed, "only those that are not the default's");
    add("check", "say everything that is wrong with them, with file and line; exit code 2", &check);
    return [action](const Context& context) { return (*action)(context); };
}

} // namespace alli::daemon
