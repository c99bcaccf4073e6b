// SPDX-License-Identifier: Apache-2.0
#include "daemon/manual.hpp"

#include "daemon/assign.hpp"

namespace alli::daemon {

static std::string section_of(std::string_view key)
{
    return std::string(key.substr(0, key.find('.')));
}

// Calls `begin` at each new section of the table and `each` for every setting.
template <class Begin, class Each>
static void for_each_setting(const Begin& begin, const Each& each)
{
    std::string section;
    for (const Setting& setting : setting_table()) {
        if (section != section_of(setting.key)) begin(section = section_of(setting.key));
        each(setting);
    }
}

// Empty where the place depends on the environment.
static std::string default_of(const Setting& setting)
{
    const std::string text = toml_text(Config{}, setting);
    if (setting.key == "mirror.path") return "in $STATE_DIRECTORY, else ~/.local/state/alli-mirror";
    if (setting.key == "proxy.listen")
        return "127.0.0.1:8787, and proxy.sock in $RUNTIME_DIRECTORY or $XDG_RUNTIME_DIR";
    return text;
}

std::string settings_markdown()
{
    std::string text = R"(# Settings

Made by `alli-mirror manual settings.md` from the table in `daemon/settings.cpp`; do not edit.

A setting is looked for in this order, the first found wins: a flag (`sync.interval` is `--sync-interval`, before or after the
command), the environment (`ALLI_MIRROR_SYNC_INTERVAL`), the settings file (TOML), the default. The file is `--config FILE`, else
`$ALLI_MIRROR_CONFIG`, else `~/.config/alli-mirror/config.toml`, else `/etc/alli-mirror/config.toml`. Durations are texts: `"500ms"`,
`"30s"`, `"10m"`, `"24h"`; lists in the environment and in flags are separated by commas. `alli-mirror config show` prints what takes
effect and where it comes from, `alli-mirror config check` what is wrong.

An unknown key in the file and an unknown variable that begins with `ALLI_MIRROR_` are errors that name the nearest one there is. Values of
variables and flags stand without quotes; white space around them does not count. In the file paths begin with `/`; `~` is the
shell's alone. `upstream.url` ends with the host or its port, without `/webapi`: the program adds that.

What says `reloads` is taken over by a running daemon at SIGHUP (`systemctl reload alli-mirror`), as are the tokens of local apps
(operations.md, Who may do what); the log names what else changed and waits for a restart. Where anything in the file is wrong, nothing changes.

The API key is no setting: it comes from the service manager's credential `alli-api-key`, else from `ALLI_API_KEY`, else from the file
that `upstream.api_key_file` names. It stands there alone, on one line: no name, no quotes, no comment. A byte order mark, line ends and
white space around it do not count.
The password of the proxy's user comes from the credential `alli-proxy-password`, else from the file that
`upstream.proxy_password_file` names.
)";
    for_each_setting(
        [&](const std::string& section) {
            text += fmt::format("\n## [{}]\n\n| key | what | value | default | reloads |\n|---|---|---|---|---|\n",
                                section);
        },
        [&](const Setting& setting) {
            text +=
                fmt::format("| `{}` | {} | {} | `{}` | {} |\n", setting.key.substr(section_of(setting.key).size() + 1),
                            setting.help, kind_of(setting), default_of(setting), setting.rule.reloads ? "yes" : "");
        });
    return text;
}

// For troff: a backslash, a minus sign, and a point or an apostrophe at the start of a line mean something there.
static std::string escaped(std::string_view text)
{
    std::string out;
    bool at_start = true;
    for (const char letter : text) {
        if (at_start && (letter == '.' || letter == '\'')) out += "\\&";
        if (letter == '\\')
            out += "\\e";
        else if (letter == '-')
            out += "\\-";
        else
            out += letter;
        at_start = letter == '\n';
    }
    return out;
}

static std::string option_text(const OptionText& option)
{
    std::string term = fmt::format("\\fB{}\\fR", escaped(option.name));
    if (option.is_named() && !option.value.empty()) term += fmt::format(" \\fI{}\\fR", escaped(option.value));
    std::string help = option.help;
    if (!option.choices.empty() && help.find(option.choices.front()) == help.npos)
        help += fmt::format(": {}", fmt::join(option.choices, ", "));
    return fmt::format(".TP\n{}\n{}\n", term, escaped(help));
}

static std::string options_text(const CommandText& command)
{
    std::string text;
    for (const OptionText& option : command.options)
        if (!option.hidden && option.name != "--help") text += option_text(option);
    return text;
}

static std::string synopsis_of(const CommandText& command)
{
    std::string text = fmt::format("\\fBalli\\-mirror {}\\fR", escaped(command.path));
    bool flags = false;
    for (const OptionText& option : command.options) flags |= option.is_named() && option.name != "--help";
    if (flags) text += " [\\fIoption\\fR...]";
    for (const OptionText& option : command.options)
        if (!option.is_named())
            text += option.required ? fmt::format(" \\fI{}\\fR", escaped(option.name))
                                    : fmt::format(" [\\fI{}\\fR]", escaped(option.name));
    return text;
}

static std::string commands_text(const CommandText& program)
{
    std::string text;
    for_each_command(program, [&](const CommandText& command) {
        if (command.path.empty() || !command.commands.empty()) return;
        text += fmt::format(".SS {}\n{}\n.PP\n{}.\n{}", escaped(command.path), synopsis_of(command),
                            escaped(command.help), options_text(command));
    });
    return text;
}

std::string command_page(const CommandText& program)
{
    return fmt::format(R"(.TH ALLI\-MIRROR 1 "" "alli\-mirror {0}" "User commands"
.SH NAME
alli\-mirror \- a local, complete and searchable mirror of Alli conversations
.SH SYNOPSIS
\fBalli\-mirror\fR [\fB\-\-config\fR \fIFILE\fR] \fIcommand\fR [\fIoption\fR...]
.SH DESCRIPTION
\fBalli\-mirror serve\fR keeps a copy of a project's conversations in a local SQLite file and answers the conversations API
on localhost from it, with the network or without; writes wait in an outbox until upstream takes them.
The other commands read that copy, beside a running daemon or without one, and look after it.
.PP
Every command takes \fB\-\-help\fR; those that print data take \fB\-\-json\fR.
.SH COMMANDS
{1}.SH OPTIONS
{2}.PP
Every setting is a flag too: \fBsync.interval\fR is \fB\-\-sync\-interval\fR. See \fBalli\-mirror.toml\fR(5).
.SH EXIT STATUS
.TP
0
done
.TP
1
failed
.TP
2
wrong usage or settings
.TP
3
upstream refused the key (sync and doctor)
.TP
4
upstream is out of reach (sync and doctor)
.TP
5
the mirror is damaged
.SH ENVIRONMENT
.TP
\fBALLI_API_KEY\fR
the project's API key, where it is not a credential of the service manager or in a file
.TP
\fBHTTPS_PROXY\fR, \fBALL_PROXY\fR, \fBNO_PROXY\fR
heeded where \fBupstream.proxy\fR is "environment"; in small letters too
.TP
\fBALLI_MIRROR_CONFIG\fR
the settings file
.TP
\fBALLI_MIRROR_\fR\fISECTION\fR\fB_\fR\fIKEY\fR
any setting
.SH FILES
.TP
\fI/etc/alli\-mirror/config.toml\fR, \fI~/.config/alli\-mirror/config.toml\fR
settings
.TP
\fI/var/lib/alli\-mirror\fR, \fI~/.local/state/alli\-mirror\fR
mirror.db, which upstream can send again, and outbox.db, which it cannot
.SH SEE ALSO
\fBalli\-mirror.toml\fR(5)
)",
                       ALLI_VERSION, commands_text(program), options_text(program));
}

std::string settings_page()
{
    std::string text = fmt::format(R"(.TH ALLI\-MIRROR.TOML 5 "" "alli\-mirror {}" "File formats"
.SH NAME
alli\-mirror.toml \- settings of alli\-mirror
.SH DESCRIPTION
A TOML file: \fB\-\-config\fR, else \fB$ALLI_MIRROR_CONFIG\fR, else \fI~/.config/alli\-mirror/config.toml\fR, else
\fI/etc/alli\-mirror/config.toml\fR. None is needed but the API key.
Every key may also be given as \fBALLI_MIRROR_\fR\fISECTION\fR\fB_\fR\fIKEY\fR in the environment, which goes before the file,
and as \fB\-\-\fR\fIsection\fR\fB\-\fR\fIkey\fR on the command line, which goes before both.
Durations are texts: "500ms", "30s", "10m", "24h". An unknown key or a bad value is an error.
What is marked "reloads" is taken over by a running daemon at SIGHUP.
)",
                                   ALLI_VERSION);
    for_each_setting([&](const std::string& section) { text += fmt::format(".SH [{}]\n", section); },
                     [&](const Setting& setting) {
                         text += fmt::format(".TP\n\\fB{}\\fR ({})\n{}. Default: {}{}\n",
                                             escaped(setting.key.substr(section_of(setting.key).size() + 1)),
                                             escaped(kind_of(setting)), escaped(setting.help),
                                             escaped(default_of(setting)), setting.rule.reloads ? ". Reloads" : "");
                     });
    text += R"(.SH EXAMPLE
.nf
[upstream]
url = "https://backend\-ja.alli.ai"
api_key_file = "/etc/alli\-mirror/api\-key"
.fi
.SH SEE ALSO
\fBalli\-mirror\fR(1)
)";
    return text;
}

} // namespace alli::daemon
