// SPDX-License-Identifier: Apache-2.0
#include "daemon/commands/commands.hpp"

#include "alli/error.hpp"
#include "alli/nearest.hpp"
#include "daemon/arguments/empty_values.hpp"
#include "daemon/arguments/query_words.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/output/version.hpp"
#include "daemon/settings/paths.hpp"
#include "daemon/settings/service.hpp"
#include "daemon/settings/variables.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace alli::daemon {

// THE table.
static constexpr auto commands = std::to_array<Command>({
    {"serve", "keep the mirror up to date and answer the API from it, until stopped", &add_serve, false, true},
    {"sync", "bring the mirror up to date once, in the foreground", &add_sync},
    {"search", "search the mirrored conversations, offline", &add_search},
    {"list", "list the mirrored conversations, newest first", &add_list},
    {"show", "show one conversation with its chats", &add_show},
    {"status", "say what is mirrored, how fresh it is and what is wrong", &add_status},
    {"outbox", "list, show, retry or discard the writes that wait or failed", &add_outbox},
    {"export", "write the mirror, or what a search finds, as JSON lines, CSV, Markdown or SQLite", &add_export},
    {"query", "read the mirror by SQL, over documented views", &add_query},
    {"report", "count conversations, messages and ratings, by day, app, category, user and channel", &add_report},
    {"purge", "erase for good a user's conversations, one, or all before a date", &add_purge},
    {"doctor", "look at everything that may be wrong, and say what to do", &add_doctor},
    {"backup", "copy both files, checked, beside a running daemon or without one", &add_backup},
    {"restore", "put a backup into the place of the files, checked; the old files are kept", &add_restore},
    {"verify", "check the files, their rows and the index of words against each other; --repair", &add_verify},
    {"config", "show the settings and where each comes from, or check them", &add_config},
    {"completions", "print the completion script for bash, zsh or fish", &add_completions, false, true},
    {"token", "make, list or revoke the tokens of local apps, each with a scope", &add_token},
    {"webhook", "list the webhooks, send one a signed test event, or have one called again", &add_webhook},
    {"open", "open the page in a browser, by a link that works once", &add_open},
    {"mcp", "serve the mirror to an assistant (Model Context Protocol on stdin and stdout)", &add_mcp},
    {"cluster", "several machines over one database: make its tables, say who leads, change the leader", &add_cluster},
    {"sandbox", "run a look-alike of the service, to try things without an account", &add_sandbox, false, true},
    {"manual", "print a page of the manual, made from the tables of commands and settings", &add_manual, true, true},
});

std::span<const Command> command_table()
{
    return commands;
}

static std::string one_line(std::string text)
{
    text.erase(std::min(text.find('\n'), text.size()));
    return printable_line(text);
}

[[noreturn]] static void fail_usage(const CLI::ParseError& error, const CLI::App& arguments)
{
    const auto chosen = arguments.get_subcommands();
    if (!chosen.empty())
        throw Error(Fault::usage, fmt::format("see alli-mirror {} --help", chosen.front()->get_name()), "{}: {}",
                    chosen.front()->get_name(), one_line(error.what()));

    const std::vector<std::string> rest = arguments.remaining();
    if (rest.empty()) throw Error(Fault::usage, "see alli-mirror --help", "{}", one_line(error.what()));
    std::vector<std::string_view> names;
    for (const Command& command : commands) names.push_back(command.name);
    const std::string_view nearest = find_nearest(rest.front(), names);
    throw Error(Fault::usage, nearest.empty() ? "see alli-mirror --help" : fmt::format("did you mean {}?", nearest),
                "there is no {} {}", rest.front().starts_with('-') ? "option" : "command", one_line(rest.front()));
}

// Each setting is a flag too; hidden, for there are many: config show and the manual list them.
static void add_flags(CLI::App& arguments, Context& context)
{
    const auto add = [&](std::string_view name, std::string help) {
        const auto put = [&context, key = std::string(name)](const std::string& text) { context.flags[key] = text; };
        return arguments.add_option_function<std::string>(flag_of(name), put, std::move(help))->group("");
    };
    for (const Setting& setting : setting_table())
        add(setting.key, std::string(setting.help))->type_name(fmt::format("TEXT:{{{}}}", setting.rule.choices));
    for (const FormerKey& key : former_keys()) add(key.key, fmt::format("the former name of {}", key.now));
}

std::map<const CLI::App*, Action> declare_all(CLI::App& arguments, Context& context)
{
    arguments.fallthrough(); // --config and settings may stand behind the command too
    arguments.add_option("--config", context.settings_file, "settings file (TOML)")->type_name("FILE");
    arguments
        .add_option("--service", context.service, "a system service's mirror; root means it unless told otherwise")
        ->type_name("NAME")
        ->expected(0, 1);
    arguments.add_flag("--user", context.own, "one's own mirror, rather than a service's");
    arguments.set_version_flag("--version", &say_version);
    arguments.require_subcommand(1);
    arguments.footer("Every setting is also a flag: sync.interval is --sync-interval. See alli-mirror config show.");
    add_flags(arguments, context);
    std::map<const CLI::App*, Action> actions;
    for (const Command& command : commands) {
        CLI::App* sub = arguments.add_subcommand(std::string(command.name), std::string(command.help));
        if (command.hidden) sub->group("");
        actions[sub] = command.add(*sub);
    }
    return actions;
}

// "--service NAME", where NAME is one: what follows it may be the command, or a word that it takes.
static std::vector<std::string> join_service(std::vector<std::string> words)
{
    for (std::size_t at = 0; at < words.size() && words[at] != "--"; ++at) {
        if (words[at] != "--service") continue;
        const std::string name = at + 1 < words.size() ? find_service(words[at + 1]) : "";
        words[at] += '=' + (name.empty() ? std::string("alli-mirror") : name);
        if (!name.empty()) words.erase(words.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
    return words;
}

// Both on stderr: what a command prints is for programs, too.
static void tell_sandbox(const Context& context)
{
    std::string note;
    try {
        const std::string sandbox = sandbox_mirror_path(context.environment);
        if (std::error_code hidden; !std::filesystem::exists(sandbox, hidden)) return;
        const MirrorLocation place = find_mirror_location(context.settings(), context.environment);
        note = place.sandbox ? fmt::format("this is a sandbox's mirror ({}), not the service's data", sandbox)
                             : fmt::format("this is {}; a sandbox's mirror is at {}", place.mirror_path, sandbox);
    } catch (const Error&) {
        return; // wrong settings, which the command itself says
    }
    fmt::print(stderr, "note: {}\n", printable_line(note));
}

static bool is_of_all_projects(const CLI::App& chosen)
{
    const CLI::Option* all = chosen.get_option_no_throw("--all-projects");
    return all != nullptr && all->count() > 0;
}

static void select_mirror(Context& context, const Command& command, bool of_all_projects)
{
    if (of_all_projects && (context.own || context.service))
        throw Error(Fault::usage, "leave one of them out", "--all-projects and --service or --user do not go together");
    if (command.alone && (context.own || context.service))
        throw Error(Fault::usage, "a service is started by systemctl", "{}: --service and --user do not go with it",
                    command.name);
    if (command.alone || of_all_projects) return;
    const ServiceChoice choice = choose_service(context, ::geteuid() == 0);
    if (!choice.note.empty()) fmt::print(stderr, "note: {}\n", choice.note);
    if (!choice.service.empty()) context.environment = service_environment(context.environment, choice.service);
    tell_sandbox(context);
}

static const Command& command_of(const CLI::App& chosen)
{
    return *std::find_if(commands.begin(), commands.end(),
                         [&](const Command& command) { return command.name == chosen.get_name(); });
}

int run_command(int count, const char* const* words)
{
    CLI::App arguments("A local, complete and searchable mirror of a project's Alli conversations.", "alli-mirror");
    Context context;
    context.environment = Environment(&process_environment, process_variables());
    if (count > 1 && std::string_view(words[1]) == "__complete") // its words are not to be parsed
        return print_candidates({words + 2, words + count}, std::move(context));
    const auto actions = declare_all(arguments, context);
    try {
        std::vector<std::string> given(words + std::min(count, 1), words + count);
        given = split_empty_values(arguments, join_service(std::move(given)));
        given = mark_query_words(arguments, std::move(given));
        std::reverse(given.begin(), given.end()); // as CLI11 wants them
        arguments.parse(std::move(given));
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return arguments.exit(error); // --help and --version
        fail_usage(error, arguments);
    }
    const CLI::App* chosen = arguments.get_subcommands().front();
    require_no_empty_values(*chosen);
    select_mirror(context, command_of(*chosen), is_of_all_projects(*chosen));
    return actions.at(chosen)(context);
}

} // namespace alli::daemon
