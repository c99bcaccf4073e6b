// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/load_settings.hpp"

#include "alli/nearest.hpp"
#include "daemon/settings/assign.hpp"
#include "daemon/settings/paths.hpp"
#include "daemon/settings/variables.hpp"
#include "daemon/settings/webhook_settings.hpp"

namespace alli::daemon {

static const Setting* find_setting(std::string_view key)
{
    for (const Setting& setting : setting_table())
        if (setting.key == key) return &setting;
    return nullptr;
}

// The setting of that name in any section, else the most similar key.
static std::string_view find_meant(const std::string& key)
{
    std::vector<std::string_view> keys;
    for (const Setting& setting : setting_table()) {
        if (setting.key.ends_with("." + key)) return setting.key;
        keys.push_back(setting.key);
    }
    return find_nearest(key, keys);
}

static Error unknown(const std::string& where, const std::string& key)
{
    const std::string_view meant = find_meant(key);
    return {Fault::settings,
            meant.empty() ? "alli-mirror config show lists what there is" : fmt::format("did you mean {}?", meant),
            "{}: there is no setting {}", where, key};
}

static std::optional<Error> put(Settings& into, const Setting& setting, const Raw& value, const std::string& where)
{
    const auto expected = assign(into.config, setting, value);
    if (expected)
        return Error(Fault::settings, fmt::format("{}: {}", setting.key, setting.help), "{}: {} must be {}, not {}",
                     where, setting.key, *expected, setting.secret ? "what is there" : describe(value));
    into.origins[std::string(setting.key)] = where;
    return std::nullopt;
}

// As `config show` and settings files have it: its quotes would be of the items. An IPv6 address begins otherwise.
static bool is_written_as_list(std::string_view text)
{
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    if (!text.starts_with('[')) return false;
    const std::size_t first = text.find_first_not_of(" \t", 1);
    return first != text.npos && (text[first] == '"' || text[first] == '\'' || text[first] == ']');
}

// A shell removes quotes; files of variables (docker's --env-file) do not.
static std::optional<Error> put_text(Settings& into, const Setting& setting, const std::string& text,
                                     const std::string& where)
{
    if (is_quoted(text))
        return Error(Fault::settings, "leave the quotes out", "{}: the value of {} stands in quotes", where,
                     setting.key);
    if (is_written_as_list(text) && kind_of(setting) == "list of texts")
        return Error(Fault::settings, "write it as a,b: without brackets and quotes", "{}: {} is written as in a file",
                     where, setting.key);
    return put(into, setting, from_text(setting, text), where);
}

// `also`: the current name is set in the same source, which is ambiguous.
static std::optional<Error> put_former(Settings& into, const FormerKey& key, const std::string& text,
                                       const std::string& where, bool also)
{
    if (also)
        return Error(Fault::settings, fmt::format("leave {} out: it is the old name of the other", key.key),
                     "{}: {} and {} are both set", where, key.now, key.key);
    const Setting& setting = *find_setting(key.now);
    const std::string value = std::string(key.before) + text;
    if (const auto fault = put_text(into, setting, value, where)) return fault;
    into.notes.push_back(fmt::format("{}: {} is called {} now: \"{}\"", where, key.key, key.now, value));
    return std::nullopt;
}

static const FormerKey* find_former(std::string_view key)
{
    for (const FormerKey& one : former_keys())
        if (one.key == key) return &one;
    return nullptr;
}

static std::optional<Error> put_former_entry(Settings& into, const FormerKey& key, const TomlEntry& entry,
                                             const std::string& where)
{
    const auto* text = std::get_if<std::string>(&entry.value);
    if (text == nullptr)
        return Error(Fault::settings, fmt::format("it is called {} now", key.now), "{}: {} must be a text in quotes",
                     where, key.key);
    return put_former(into, key, *text, where, into.is_set(std::string(key.now)));
}

static std::optional<Error> put_entry(Settings& into, const TomlEntry& entry)
{
    const std::string where = fmt::format("{}:{}", into.file, entry.line);
    if (const FormerKey* key = find_former(entry.key)) return put_former_entry(into, *key, entry, where);
    if (entry.key == "webhook" || entry.key.starts_with("webhook."))
        return put_webhook_entry(into.config.webhooks, entry, where);
    const Setting* setting = find_setting(entry.key);
    return setting == nullptr ? unknown(where, entry.key) : put(into, *setting, entry.value, where);
}

static std::vector<TomlEntry> read_entries(const std::string& file, std::vector<Error>* faults)
{
    try {
        return file.empty() ? std::vector<TomlEntry>{} : read_toml(file);
    } catch (const Error& error) {
        if (faults == nullptr) throw;
        faults->push_back(error);
        return {};
    }
}

Settings load_settings(const std::string& explicit_file, const Environment& environment, const Flags& flags,
                       std::vector<Error>* faults)
{
    const auto note = [&](const std::optional<Error>& fault) {
        if (!fault) return;
        if (faults == nullptr) throw Error(*fault);
        faults->push_back(*fault);
    };
    Settings result;
    result.file = find_settings_file(explicit_file, environment);
    for (const TomlEntry& entry : read_entries(result.file, faults)) note(put_entry(result, entry));
    for (const std::string& name : environment.names()) note(find_unknown_variable(name, environment));
    for (const FormerKey& key : former_keys()) {
        const std::string variable = variable_of(key.key), now(key.now);
        const auto text = environment(variable);
        if (text) note(put_former(result, key, *text, variable, environment(variable_of(now)).has_value()));
        const auto flag = flags.find(std::string(key.key));
        if (flag != flags.end()) note(put_former(result, key, flag->second, flag_of(key.key), flags.contains(now)));
    }
    for (const Setting& setting : setting_table()) {
        const auto text = environment(variable_of(setting.key));
        if (text) note(put_text(result, setting, *text, variable_of(setting.key)));
        const auto flag = flags.find(std::string(setting.key));
        if (flag != flags.end()) note(put_text(result, setting, flag->second, flag_of(setting.key)));
    }
    return result;
}

} // namespace alli::daemon
