// SPDX-License-Identifier: Apache-2.0
#include "daemon/commands/manual.hpp"

#include "alli/event.hpp"
#include "daemon/commands/command_tree.hpp"
#include "daemon/output/man_page.hpp"
#include "daemon/settings/assign.hpp"

#include <algorithm>
#include <stdexcept>

namespace alli::daemon {
namespace {

std::string_view section_of(std::string_view key)
{
    return key.substr(0, key.find('.'));
}

// Where the value depends on the environment, the rule instead of it.
std::string default_of(const Setting& setting)
{
    if (setting.key == "mirror.path") return "in $STATE_DIRECTORY, else ~/.local/state/alli-mirror";
    if (setting.key == "proxy.listen")
        return "127.0.0.1:8787, and proxy.sock in $RUNTIME_DIRECTORY or $XDG_RUNTIME_DIR";
    return toml_text(Config{}, setting);
}

// They stand in the file alone: there may be several.
constexpr std::string_view webhook_tables = R"(
## [[webhook]]

There may be several of these tables, in the settings file alone: no flag and no variable sets them. A change waits for a restart. See webhooks.md.

| key | what | value |
|---|---|---|
| `url` | the receiver's address: https, or http towards this machine; its query is never shown | text |
| `secret_file` | file of mode 0600 with the secret, `whsec_` and 24 to 64 bytes in base64; a second line is a second secret | text |
| `events` | conversation.updated, conversation.chats, conversation.deleted, outbox.changed; left out: all | list of texts |
)";

std::string write_settings()
{
    std::string text = R"(# Settings

<!-- Made by alli-mirror manual settings.md from the table in daemon/settings/settings.cpp; do not edit. -->

The first of these that sets a value wins: a flag (`sync.interval` is `--sync-interval`, before or after the command), the
environment (`ALLI_MIRROR_SYNC_INTERVAL`), the settings file (TOML), the default. The settings file is `--config FILE`, else
`$ALLI_MIRROR_CONFIG`, else `~/.config/alli-mirror/config.toml`, else `/etc/alli-mirror/config.toml`. Durations are strings: `"500ms"`,
`"30s"`, `"10m"`, `"24h"`; lists in the environment and in flags are separated by commas. `alli-mirror config show` prints every value
and its origin, `alli-mirror config check` what is wrong.

An unknown key in the file and an unknown variable that begins with `ALLI_MIRROR_` are errors that name the nearest known one. Values of
variables and flags stand without quotes; surrounding white space is ignored. Paths in the file are absolute; only a shell
expands `~`. `upstream.url` ends with the host or the port, without `/webapi`, which the program adds.

A running daemon applies settings marked `reloads` at SIGHUP (`systemctl reload alli-mirror`), and the tokens of local apps
(operations.md, Who may do what); the log names other changed settings, which wait for a restart. If anything in the file is wrong, nothing changes.

The API key is not a setting: it comes from the service manager's credential `alli-api-key`, else from `ALLI_API_KEY`, else from the file
that `upstream.api_key_file` names. The file holds the key alone, on one line: no name, no quotes, no comment. A byte order mark, line ends and
surrounding white space are ignored.
The password of the proxy's user comes from the credential `alli-proxy-password`, else from the file that
`upstream.proxy_password_file` names. The password of the cluster's database comes from the credential `alli-database-password`, else from the
file that `cluster.password_file` names.
)";
    std::string_view section;
    for (const Setting& setting : setting_table()) {
        if (section != section_of(setting.key)) {
            section = section_of(setting.key);
            text += fmt::format("\n## [{}]\n\n| key | what | value | default | reloads |\n|---|---|---|---|---|\n",
                                section);
        }
        text += fmt::format("| `{}` | {} | {} | `{}` | {} |\n", setting.key.substr(section.size() + 1), setting.help,
                            kind_of(setting), default_of(setting), setting.rule.reloads ? "yes" : "");
    }
    return text + std::string(webhook_tables);
}

std::string synopsis_of(const CommandText& command)
{
    std::string text = fmt::format("`alli-mirror {}`", command.path);
    const auto is_flag = [](const OptionText& option) { return option.is_named() && option.name != "--help"; };
    if (std::ranges::any_of(command.options, is_flag)) text += " [*option*...]";
    for (const OptionText& option : command.options)
        if (!option.is_named())
            text += option.required ? fmt::format(" *{}*", option.name) : fmt::format(" [*{}*]", option.name);
    return text;
}

std::string options_of(const CommandText& command)
{
    std::string text;
    for (const OptionText& option : command.options) {
        if (option.hidden || option.name == "--help") continue;
        std::string help = option.help;
        if (!option.choices.empty() && help.find(option.choices.front()) == help.npos)
            help += fmt::format(": {}", fmt::join(option.choices, ", "));
        const bool has_value = option.is_named() && !option.value.empty();
        text +=
            fmt::format("| `{}`{} | {} |\n", option.name, has_value ? fmt::format(" *{}*", option.value) : "", help);
    }
    return text.empty() ? "" : "\n| option | what |\n|---|---|\n" + text;
}

std::string write_commands()
{
    const CommandText program = read_commands();
    std::string text = R"(# Commands

<!-- Made by alli-mirror manual commands.md from the table in daemon/commands/commands.cpp; do not edit. -->

`alli-mirror` [`--config` *FILE*] *command* [*option*...]

`alli-mirror serve` keeps a copy of a project's conversations in a local SQLite file and answers the conversations API
on localhost from it, with the network or without; writes wait in an outbox until upstream takes them.
The other commands read that copy, beside a running daemon or without one, and maintain it.

Every command takes `--help`; those that print data take `--json`.

## Commands
)";
    for_each_command(program, [&](const CommandText& command) {
        if (command.path.empty() || !command.commands.empty()) return;
        text += fmt::format("\n### {}\n\n{}\n\n{}.\n{}", command.path, synopsis_of(command), command.help,
                            options_of(command));
    });
    return text + "\n## Options\n" + options_of(program) + R"(
Every setting is a flag too: `sync.interval` is `--sync-interval`. See alli-mirror.toml(5), docs/settings.md.

## Exit status

| status | what |
|---|---|
| 0 | done |
| 1 | failed |
| 2 | wrong usage or settings |
| 3 | upstream refused the key (sync and doctor) |
| 4 | upstream is unreachable (sync and doctor) |
| 5 | the mirror is damaged |

## Environment

| variable | what |
|---|---|
| `ALLI_API_KEY` | the project's API key, if it is neither a credential of the service manager nor in a file |
| `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY` | used if `upstream.proxy` is "environment"; in lower case too |
| `ALLI_MIRROR_CONFIG` | the settings file |
| `ALLI_MIRROR_`*SECTION*`_`*KEY* | any setting |

## Files

| file | what |
|---|---|
| `/etc/alli-mirror/config.toml`, `~/.config/alli-mirror/config.toml` | settings |
| `/var/lib/alli-mirror`, `~/.local/state/alli-mirror` | mirror.db, which upstream can send again, and outbox.db, which it cannot |
)";
}

std::string fields_of(const EventRow& row)
{
    std::string text;
    for (std::size_t i = 0; i < field_count(row); ++i) {
        const bool is_id = row.fields[i].starts_with('#');
        text +=
            fmt::format("{}`{}`{}", i == 0 ? "" : ", ", row.fields[i].substr(is_id ? 1 : 0), is_id ? " (hash)" : "");
    }
    return text;
}

std::string rate_of(const EventRow& row)
{
    const EventRow usual{};
    if (row.burst == usual.burst && row.per_second == usual.per_second && row.cause.empty()) return "";
    return fmt::format("{}, then {} a second{}", row.burst, row.per_second,
                       row.cause.empty() ? "" : fmt::format(", by {}", row.cause));
}

std::string write_events()
{
    std::string text = R"(# The log

<!-- Made by alli-mirror manual logs.md from the table in alli/event.hpp; do not edit. -->

The daemon logs to stderr, one line for each event. `log.format = "text"` writes the time, the level, the event, its sentence, and the
fields that the sentence leaves out as `key=value`; `"json"` writes an object with `time`, `level`, `event`, `message` and every field. In the
journal each line has its priority, and text omits time and level. `log.level` and `log.format` take effect at a reload.

No line holds the text of a message or a title, a key, a path or a query. Ids of conversations and users are written as keyed hashes:
the same id has the same hash for the lifetime of `outbox.db`, and without that file a hash cannot be traced to its id.

A local request and the upstream requests it causes share one `request_id`: the app's own `X-Request-Id`, or one made here and
returned. Upstream receives it too, also with a write that is delivered later. Upstream requests are logged at `debug`.

Repeated events are written 10 times at once and then once a second, or as the last column says; the next line reports how many were
`suppressed`, or `repeats` does. At `debug` everything is written.

| event | level | says | fields | at most |
|---|---|---|---|---|
)";
    constexpr std::string_view levels[] = {"debug", "info", "warning", "error"};
    for (const EventRow& row : event_table)
        text += fmt::format("| `{}` | {} | {} | {} | {} |\n", row.name, levels[static_cast<std::size_t>(row.severity)],
                            row.sentence, fields_of(row), rate_of(row));
    return text;
}

struct Page {
    std::string_view name;
    std::string (*write)();
    std::string_view man_header = {}, summary = {}; // empty: Markdown
};
constexpr Page pages[] = {
    {"commands.md", &write_commands},
    {"settings.md", &write_settings},
    {"logs.md", &write_events},
    {"alli-mirror.1", &write_commands, R"(ALLI-MIRROR 1 "" "alli-mirror )" ALLI_VERSION R"(" "User commands")",
     "alli-mirror - a local, complete and searchable mirror of Alli conversations"},
    {"alli-mirror.toml.5", &write_settings, R"(ALLI-MIRROR.TOML 5 "" "alli-mirror )" ALLI_VERSION R"(" "File formats")",
     "alli-mirror.toml - settings of alli-mirror"},
};

} // namespace

std::vector<std::string> manual_pages()
{
    std::vector<std::string> names;
    for (const Page& page : pages) names.emplace_back(page.name);
    return names;
}

std::string write_manual_page(const std::string& name)
{
    for (const Page& page : pages)
        if (page.name == name)
            return page.man_header.empty() ? page.write() : write_man_page(page.man_header, page.summary, page.write());
    throw std::out_of_range(name);
}

} // namespace alli::daemon
