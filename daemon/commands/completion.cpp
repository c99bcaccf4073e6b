// SPDX-License-Identifier: Apache-2.0
#include "daemon/commands/completion.hpp"

#include <algorithm>

namespace alli::daemon {
namespace {

template <class Range>
auto find_named(const Range& range, const std::string& name) -> const std::ranges::range_value_t<Range>*
{
    const auto found = std::ranges::find(range, name, &std::ranges::range_value_t<Range>::name);
    return found == range.end() ? nullptr : &*found;
}

/// How far the words before the cursor have come.
struct Position {
    const CommandText& program;
    const CommandText* command = &program;
    const OptionText* awaits_value = nullptr; // the option before the cursor, if it takes one
    std::size_t arguments = 0;                // positional ones given
    bool options_ended = false;               // by --

    // --config and the settings may stand in every command.
    const OptionText* find_option(const std::string& name) const
    {
        const OptionText* option = find_named(command->options, name);
        return option != nullptr ? option : find_named(program.options, name);
    }

    void pass(const std::string& word)
    {
        if (awaits_value != nullptr) {
            awaits_value = nullptr;
        } else if (!options_ended && word == "--") {
            options_ended = true;
        } else if (!options_ended && word.starts_with('-')) {
            const OptionText* option = find_option(word);
            if (option != nullptr && !option->value.empty()) awaits_value = option;
        } else if (const CommandText* inner = arguments == 0 ? find_named(command->commands, word) : nullptr) {
            command = inner;
        } else {
            ++arguments;
        }
    }
};

void offer(Completion& into, const std::string& prefix, Candidate candidate)
{
    if (candidate.word.starts_with(prefix)) into.candidates.push_back(std::move(candidate));
}

void offer_values(Completion& into, const OptionText& option, const std::string& prefix, const FindValues& find_values)
{
    into.files = option.is_file;
    for (const std::string& choice : option.choices) offer(into, prefix, {choice, ""});
    for (Candidate& value : find_values(option.value, prefix)) offer(into, prefix, std::move(value));
}

void offer_options(Completion& into, const CommandText& command, const std::string& prefix)
{
    for (const OptionText& option : command.options)
        if (option.is_named() && !option.hidden) offer(into, prefix, {option.name, option.help});
}

const OptionText* find_argument(const CommandText& command, std::size_t index)
{
    for (const OptionText& option : command.options)
        if (!option.is_named() && index-- == 0) return &option;
    return nullptr;
}

// --format=js: the value's candidates, with what stands before them.
Completion complete_joined(const Position& position, const std::string& word, const FindValues& find_values)
{
    Completion result;
    const auto equals = word.find('=');
    const OptionText* option = position.find_option(word.substr(0, equals));
    if (option == nullptr) return result;
    offer_values(result, *option, word.substr(equals + 1), find_values);
    for (Candidate& candidate : result.candidates) candidate.word.insert(0, word, 0, equals + 1);
    return result;
}

} // namespace

Completion complete(const CommandText& program, std::vector<std::string> words, const FindValues& find_values)
{
    if (words.empty() || words.back() == "=") words.emplace_back();
    const std::string current = std::move(words.back());
    words.pop_back();
    Position position{program};
    for (const std::string& word : words)
        if (word != "=") position.pass(word);

    Completion result;
    const bool is_option = !position.options_ended && current.starts_with('-');
    if (position.awaits_value != nullptr) {
        offer_values(result, *position.awaits_value, current, find_values);
        return result;
    }
    if (is_option && current.find('=') != current.npos) return complete_joined(position, current, find_values);
    if (!is_option && position.arguments == 0)
        for (const CommandText& inner : position.command->commands) offer(result, current, {inner.name, inner.help});
    if (!is_option)
        if (const OptionText* argument = find_argument(*position.command, position.arguments))
            offer_values(result, *argument, current, find_values);
    if (is_option || (current.empty() && result.candidates.empty() && !result.files && !position.options_ended))
        offer_options(result, *position.command, current);
    return result;
}

} // namespace alli::daemon
