// SPDX-License-Identifier: Apache-2.0
#include "daemon/completions.hpp"

#include <spdlog/fmt/fmt.h>

#include <map>

namespace alli::daemon {

// For single quotes of a shell.
static std::string quoted(const std::string& text)
{
    std::string out = "'";
    for (const char letter : text) out += letter == '\'' ? "'\\''" : std::string(1, letter);
    return out + "'";
}

// zsh takes a colon for the end of the word itself.
static std::string described(const std::string& word, const std::string& help)
{
    std::string name;
    for (const char letter : word) name += letter == ':' ? "\\:" : std::string(1, letter);
    return quoted(name + ":" + help);
}

// What may follow an option that takes a value, by the shell's pattern of command and option: the same name means
// something else in another command (--format of export and of show). Those of the program itself stand anywhere.
static std::map<std::string, OptionText> valued_options(const CommandText& program)
{
    std::map<std::string, OptionText> options;
    for_each_command(program, [&](const CommandText& command) {
        const std::string before = command.path.empty() ? "*" : fmt::format("\"{}\"", command.path);
        for (const OptionText& option : command.options)
            if (option.is_named() && !option.value.empty())
                options.emplace(fmt::format("{}\" {}\"", before, option.name), option);
    });
    return options;
}

// Which command stands before the word at the cursor: a case for each command and word that may follow it.
// (zsh ties a variable named path to $PATH.)
static std::string walk_cases(const CommandText& program, std::string_view variable)
{
    std::string cases;
    for_each_command(program, [&](const CommandText& command) {
        for (const CommandText& inner : command.commands)
            cases +=
                fmt::format("            \"{} {}\") {}=\"{}\" ;;\n", command.path, inner.name, variable, inner.path);
    });
    return cases;
}

static std::string words_of(const CommandText& command)
{
    std::string words;
    const auto add = [&](const std::string& word) { words += (words.empty() ? "" : " ") + word; };
    for (const CommandText& inner : command.commands) add(inner.name);
    for (const OptionText& option : command.options) {
        if (option.is_named() && !option.hidden) add(option.name);
        if (option.is_named()) continue;
        for (const std::string& choice : option.choices) add(choice);
    }
    return words;
}

static std::string bash_values(const CommandText& program)
{
    std::string cases;
    for (const auto& [pattern, option] : valued_options(program)) {
        if (option.is_file)
            cases += fmt::format("        {}) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n", pattern);
        else if (!option.choices.empty())
            cases += fmt::format("        {}) COMPREPLY=($(compgen -W '{}' -- \"$current\")); return ;;\n", pattern,
                                 fmt::join(option.choices, " "));
        else
            cases += fmt::format("        {}) return ;;\n", pattern);
    }
    return cases;
}

std::string bash_completions(const CommandText& program)
{
    std::string words;
    for_each_command(program, [&](const CommandText& command) {
        words += fmt::format("        \"{}\") words='{}' ;;\n", command.path, words_of(command));
    });
    return fmt::format(R"(# bash completion for alli-mirror
_alli_mirror() {{
    local current="${{COMP_WORDS[COMP_CWORD]}}" path="" word words=""
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case "$path $word" in
{}        esac
    done
    case "$path ${{COMP_WORDS[COMP_CWORD-1]}}" in
{}    esac
    case "$path" in
{}    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -F _alli_mirror alli-mirror
)",
                       walk_cases(program, "path"), bash_values(program), words);
}

static std::string zsh_values(const CommandText& program)
{
    std::string cases;
    for (const auto& [pattern, option] : valued_options(program)) {
        if (option.is_file)
            cases += fmt::format("        {}) _files; return ;;\n", pattern);
        else if (!option.choices.empty())
            cases += fmt::format("        {}) compadd -- {}; return ;;\n", pattern, fmt::join(option.choices, " "));
        else
            cases += fmt::format("        {}) return 1 ;;\n", pattern);
    }
    return cases;
}

static std::string zsh_candidates(const CommandText& command)
{
    std::string lines;
    const auto add = [&](const std::string& word, const std::string& help) {
        lines += "            " + described(word, help) + "\n";
    };
    for (const CommandText& inner : command.commands) add(inner.name, inner.help);
    for (const OptionText& option : command.options) {
        if (option.is_named() && !option.hidden) add(option.name, option.help);
        if (option.is_named()) continue;
        for (const std::string& choice : option.choices) add(choice, option.help);
    }
    return lines;
}

std::string zsh_completions(const CommandText& program)
{
    std::string candidates;
    for_each_command(program, [&](const CommandText& command) {
        candidates +=
            fmt::format("        \"{}\") candidates=(\n{}        ) ;;\n", command.path, zsh_candidates(command));
    });
    return fmt::format(R"(#compdef alli-mirror
# zsh completion for alli-mirror
_alli_mirror() {{
    local place="" word
    local -a candidates
    for word in "${{(@)words[2,CURRENT-1]}}"; do
        case "$place $word" in
{}        esac
    done
    case "$place ${{words[CURRENT-1]}}" in
{}    esac
    case "$place" in
{}    esac
    _describe alli-mirror candidates
}}
if [ "$funcstack[1]" = _alli_mirror ]; then _alli_mirror "$@"; else compdef _alli_mirror alli-mirror; fi
)",
                       walk_cases(program, "place"), zsh_values(program), candidates);
}

// When a command's own words may follow: it was said, and none of its inner ones.
static std::string fish_condition(const CommandText& command)
{
    std::string inner;
    for (const CommandText& it : command.commands) inner += " " + it.name;
    if (command.path.empty()) return "__fish_use_subcommand";
    std::string condition;
    std::size_t at = 0;
    for (std::size_t end = 0; end < command.path.size(); at = end + 1) {
        end = std::min(command.path.find(' ', at), command.path.size());
        condition += fmt::format("{}__fish_seen_subcommand_from {}", condition.empty() ? "" : "; and ",
                                 command.path.substr(at, end - at));
    }
    return inner.empty() ? condition : condition + "; and not __fish_seen_subcommand_from" + inner;
}

static std::string fish_option(const std::string& condition, const OptionText& option)
{
    std::string line = fmt::format("complete -c alli-mirror -n {}", quoted(condition));
    if (!option.is_named())
        return fmt::format("{} -a {} -d {}\n", line, quoted(fmt::format("{}", fmt::join(option.choices, " "))),
                           quoted(option.help));
    line += fmt::format(" -l {} -d {}", option.name.substr(2), quoted(option.help));
    if (option.is_file) return line + " -r -F\n";
    if (!option.choices.empty())
        return line + fmt::format(" -x -a {}\n", quoted(fmt::format("{}", fmt::join(option.choices, " "))));
    return line + (option.value.empty() ? "\n" : " -x\n");
}

std::string fish_completions(const CommandText& program)
{
    std::string text = "# fish completion for alli-mirror\ncomplete -c alli-mirror -f\n";
    for_each_command(program, [&](const CommandText& command) {
        const std::string condition = fish_condition(command);
        for (const CommandText& inner : command.commands)
            text += fmt::format("complete -c alli-mirror -n {} -a {} -d {}\n", quoted(condition), inner.name,
                                quoted(inner.help));
        for (const OptionText& option : command.options)
            if (!option.hidden && (option.is_named() || !option.choices.empty()) && option.name.size() > 2)
                text += fish_option(condition, option);
    });
    return text;
}

} // namespace alli::daemon
