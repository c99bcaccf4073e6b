// SPDX-License-Identifier: Apache-2.0
// The syntax of the command line as data, read from the table of commands, for the manual and for shell completion.
#pragma once

#include <string>
#include <vector>

namespace alli::daemon {

struct OptionText {
    std::string name;                 // "--limit", "ID" for one without a name
    std::string help, value;          // value: "N", "FILE"; empty for a flag
    std::vector<std::string> choices; // all that may stand there; empty: anything
    bool is_file = false, hidden = false, required = false;

    bool is_named() const { return name.starts_with('-'); }
};

struct CommandText {
    std::string path, name, help; // path: "outbox list"; empty for the program itself
    std::vector<OptionText> options;
    std::vector<CommandText> commands;
};

/// The whole program; hidden commands are left out.
CommandText read_commands();

/// Calls `visit` for every command, the program itself first.
template <class Visit>
void for_each_command(const CommandText& command, const Visit& visit)
{
    visit(command);
    for (const CommandText& inner : command.commands) for_each_command(inner, visit);
}

} // namespace alli::daemon
