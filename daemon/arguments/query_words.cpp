// SPDX-License-Identifier: Apache-2.0
#include "daemon/arguments/query_words.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace alli::daemon {

static constexpr char mark = '\x01'; // nothing that can be typed, and shown nowhere

static const CLI::App* find_command(const CLI::App& arguments, const std::string& word)
{
    for (const CLI::App* command : arguments.get_subcommands([](const CLI::App*) { return true; }))
        if (command->get_name() == word) return command;
    return nullptr;
}

// "--limit", in this command or in the program itself.
static bool takes_value(const CLI::App& arguments, const CLI::App* command, const std::string& word)
{
    const CLI::Option* option = command != nullptr ? command->get_option_no_throw(word) : nullptr;
    if (option == nullptr) option = arguments.get_option_no_throw(word);
    return option != nullptr && option->get_items_expected_max() > 0;
}

static bool has_query(const CLI::App* command)
{
    return command != nullptr && command->get_option_no_throw("QUERY") != nullptr;
}

std::vector<std::string> mark_query_words(const CLI::App& arguments, std::vector<std::string> words)
{
    const CLI::App* command = nullptr;
    bool options_end = false;
    for (std::size_t at = 0; at < words.size(); ++at) {
        std::string& word = words[at];
        if (word == "--" && !has_query(command)) break; // from here on nothing is an option
        if (options_end || word == "--") {
            options_end = true;
            word.insert(word.begin(), mark);
        } else if (word.starts_with("--"))
            at += takes_value(arguments, command, word) ? 1 : 0;
        else if (has_query(command) && word.size() > 1 && word.front() == '-' && word != "-h")
            word.insert(word.begin(), mark);
        else if (command == nullptr)
            command = find_command(arguments, word);
    }
    const auto divider = std::find(words.begin(), words.end(), mark + std::string("--"));
    if (divider != words.end()) words.erase(divider); // what follows is marked
    return words;
}

std::string unmarked(const std::string& word)
{
    return word.starts_with(mark) ? word.substr(1) : word;
}

} // namespace alli::daemon
