// SPDX-License-Identifier: Apache-2.0
#include "daemon/commands.hpp"

#include "alli/error.hpp"
#include "daemon/nearest.hpp"
#include "daemon/terminal.hpp"

#include <CLI/CLI.hpp>

#include <array>

namespace alli::daemon {

// THE table.
static constexpr auto commands = std::to_array<Command>({
    {"serve", "keep the mirror up to date and answer the API from it, until stopped", &add_serve},
    {"sync", "bring the mirror up to date once, in the foreground", &add_sync},
    {"search", "search the mirrored conversations, offline", &add_search},
    {"list", "list the mirrored conversations, newest first", &add_list},
    {"show", "show one conversation with its chats", &add_show},
    {"status", "say what is mirrored, how fresh it is and what is wrong", &add_status},
    {"outbox", "list, show, retry or discard the writes that wait or failed", &add_outbox},
    {"sandbox", "run a look-alike of the service, to try things without an account", &add_sandbox},
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

int run_command(int count, const char* const* words)
{
    CLI::App arguments("A local, complete and searchable mirror of a project's Alli conversations.", "alli-mirror");
    Context context;
    context.environment = process_environment;
    arguments.add_option("--config", context.settings_file, "settings file (TOML)")->type_name("FILE");
    arguments.set_version_flag("--version", "alli-mirror " ALLI_VERSION);
    arguments.require_subcommand(1);

    std::map<const CLI::App*, Action> actions;
    for (const Command& command : commands) {
        CLI::App* sub = arguments.add_subcommand(std::string(command.name), std::string(command.help));
        actions[sub] = command.add(*sub);
    }
    try {
        arguments.parse(count, words);
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return arguments.exit(error); // --help and --version
        fail_usage(error, arguments);
    }
    return actions.at(arguments.get_subcommands().front())(context);
}

} // namespace alli::daemon
