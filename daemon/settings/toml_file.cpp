// SPDX-License-Identifier: Apache-2.0
#include "daemon/settings/toml_file.hpp"

#include "alli/error.hpp"

#include <toml++/toml.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

namespace alli::daemon {

static std::string unreadable_hint(const std::string& path, int why)
{
    if (path.starts_with('~')) return "write the whole path: ~ is the shell's alone";
    if (why == EACCES) return fmt::format("it is not for this user (number {}): check its owner and mode", ::geteuid());
    return "give another file with --config, or make this one readable";
}

static Error unreadable(const std::string& path, int why)
{
    return {Fault::settings, unreadable_hint(path, why), "cannot read the settings file {}: {}", path,
            std::strerror(why)};
}

// Regular files, and /dev/null and pipes, whose modes are their own.
static void require_file(const struct stat& status, const std::string& path)
{
    if (S_ISDIR(status.st_mode))
        throw Error(Fault::settings, "name the file in it", "{} is a directory, not a settings file", path);
    if (S_ISREG(status.st_mode) && (status.st_mode & S_IWOTH) != 0)
        throw Error(Fault::settings, fmt::format("chmod o-w {}", path),
                    "the settings file {} can be written by every user of this machine", path);
}

static std::string read_text(const std::string& path)
{
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0) throw unreadable(path, errno);
    require_file(status, path);
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file.is_open() || file.bad()) throw unreadable(path, errno);
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
        throw Error(Fault::settings, "save it as UTF-8", "{} is UTF-16 text, and TOML is UTF-8", path);
    return text;
}

static Raw to_raw(const toml::node& node)
{
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return number->get();
    if (const auto* number = node.as_floating_point()) return number->get();
    if (const auto* flag = node.as_boolean()) return flag->get();
    const toml::array* list = node.as_array();
    if (list == nullptr) return {};

    std::vector<std::string> texts;
    for (const toml::node& item : *list) {
        const auto* text = item.as_string();
        if (text == nullptr) return {};
        texts.push_back(text->get());
    }
    return texts;
}

static const toml::array* find_webhooks(const toml::node& node, const std::string& key)
{
    const toml::array* list = node.as_array();
    return key == "webhook" && list != nullptr && list->is_array_of_tables() ? list : nullptr;
}

static void add_webhooks(const toml::array& tables, std::vector<TomlEntry>& entries)
{
    int item = 0;
    for (const toml::node& node : tables) {
        entries.push_back({"webhook", {}, node.source().begin.line, item});
        for (const auto& [name, value] : *node.as_table())
            entries.push_back({"webhook." + std::string(name.str()), to_raw(value), value.source().begin.line, item});
        ++item;
    }
}

/// Flattens tables to "section.name"; a table in place of a value shows up as an unknown key.
static void flatten(const toml::table& table, const std::string& prefix, std::vector<TomlEntry>& entries)
{
    for (const auto& [name, node] : table) {
        const std::string key = prefix + std::string(name.str());
        const auto* inner = node.as_table();
        if (inner != nullptr && !inner->is_inline())
            flatten(*inner, key + ".", entries);
        else if (const toml::array* tables = find_webhooks(node, key))
            add_webhooks(*tables, entries);
        else
            entries.push_back({key, to_raw(node), node.source().begin.line});
    }
}

std::vector<TomlEntry> read_toml(const std::string& path)
{
    const std::string text = read_text(path);
    try {
        std::vector<TomlEntry> entries;
        flatten(toml::parse(text, path), "", entries);
        return entries;
    } catch (const toml::parse_error& error) {
        throw Error(Fault::settings, "mend that line; the format is TOML, for example interval = \"30s\"", "{}:{}: {}",
                    path, error.source().begin.line, error.description());
    }
}

} // namespace alli::daemon
