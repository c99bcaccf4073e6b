// SPDX-License-Identifier: Apache-2.0
#include "daemon/arguments/empty_values.hpp"

#include "alli/error.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace alli::daemon {

static const CLI::App* find_command(const CLI::App& arguments, const std::string& word)
{
    for (const CLI::App* command : arguments.get_subcommands([](const CLI::App*) { return true; }))
        if (command->get_name() == word) return command;
    return nullptr;
}

// "--limit", in this command or in one around it.
static bool takes_value(const CLI::App* command, const std::string& word)
{
    for (; command != nullptr; command = command->get_parent())
        if (const CLI::Option* option = command->get_option_no_throw(word)) return option->get_items_expected_max() > 0;
    return false;
}

std::vector<std::string> split_empty_values(const CLI::App& arguments, std::vector<std::string> words)
{
    const CLI::App* command = &arguments;
    std::vector<std::string> split;
    bool is_value = false, options_end = false;
    for (std::string& word : words) {
        options_end = options_end || (word == "--" && !is_value);
        const bool is_option = !options_end && !is_value && word.starts_with("--");
        if (!is_option && !is_value)
            if (const CLI::App* inner = find_command(*command, word)) command = inner;
        is_value = is_option && takes_value(command, word);
        if (is_option && word.ends_with('=') && takes_value(command, word.substr(0, word.size() - 1))) {
            word.pop_back();
            split.push_back(std::move(word));
            word.clear();
        }
        split.push_back(std::move(word));
    }
    return split;
}

void require_no_empty_values(const CLI::App& command)
{
    for (const CLI::Option* option : command.get_options()) {
        const auto& values = option->results();
        if (std::find(values.begin(), values.end(), "") != values.end())
            throw Error(Fault::usage, "leave it out, or give it a value", "{}: {} is given and empty",
                        command.get_name(), option->get_name());
    }
    for (const CLI::App* inner : command.get_subcommands()) require_no_empty_values(*inner);
}

} // namespace alli::daemon
