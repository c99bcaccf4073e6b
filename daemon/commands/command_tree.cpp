// SPDX-License-Identifier: Apache-2.0
#include "daemon/commands/command_tree.hpp"

#include "daemon/commands/commands.hpp"

#include <CLI/CLI.hpp>

namespace alli::daemon {

// "TEXT:{newest,relevance}" or "TEXT:{newest, relevance}" -> newest, relevance
static std::vector<std::string> read_choices(const std::string& type)
{
    std::vector<std::string> choices;
    const auto open = type.find('{'), close = type.rfind('}');
    if (open == type.npos || close == type.npos) return choices;
    for (std::size_t at = open + 1; at < close;) {
        const std::size_t end = std::min(type.find(',', at), close);
        choices.push_back(type.substr(at, end - at));
        at = type.find_first_not_of(' ', end + 1);
    }
    return choices;
}

static OptionText read_option(const CLI::Option& option)
{
    OptionText text;
    const auto names = option.get_lnames();
    text.name = names.empty() ? option.get_name() : "--" + names.front();
    text.help = option.get_description();
    const std::string type = option.get_type_name();
    text.choices = read_choices(type);
    text.is_file = type.starts_with("FILE") || type.starts_with("DIR");
    if (option.get_items_expected_max() > 0) text.value = type.substr(0, type.find_first_of(": "));
    text.hidden = option.get_group().empty();
    text.required = option.get_required();
    return text;
}

static CommandText read_command(const CLI::App& app, const std::string& path)
{
    CommandText text;
    text.path = path;
    text.name = app.get_name();
    text.help = app.get_description();
    for (const CLI::Option* option : app.get_options()) text.options.push_back(read_option(*option));
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
        if (!sub->get_group().empty())
            text.commands.push_back(read_command(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name()));
    return text;
}

CommandText read_commands()
{
    CLI::App arguments("A local, complete and searchable mirror of a project's Alli conversations.", "alli-mirror");
    Context context;
    declare_all(arguments, context);
    return read_command(arguments, "");
}

} // namespace alli::daemon
