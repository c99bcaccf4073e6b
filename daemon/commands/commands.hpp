// SPDX-License-Identifier: Apache-2.0
// The commands. Each is a row of the table in commands.cpp and a file of its own, cmd_NAME.cpp, with one function that
// declares its arguments and returns what it does.
#pragma once

#include "daemon/settings/load_settings.hpp"

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace alli::daemon {

/// Runs the command and returns the exit code of a run that went well; failures are thrown.
using Action = std::function<int(const Context&)>;

struct Command {
    std::string_view name;
    std::string_view help;
    Action (*add)(CLI::App& arguments);
    bool hidden = false; // not for people: what builds the manuals
    bool alone = false;  // it is about no service of this machine's
};
std::span<const Command> command_table();

/// Declares the whole command line. Returns the action of each command; parsing stores global options in `context`.
std::map<const CLI::App*, Action> declare_all(CLI::App& arguments, Context& context);

/// `__complete WORD...`: prints what may stand in the place of the last word.
int print_candidates(std::vector<std::string> words, Context context);

/// Reads the command line and runs it. Throws Error{usage} for a wrong one.
int run_command(int count, const char* const* words);

Action add_serve(CLI::App& arguments);
Action add_sync(CLI::App& arguments);
Action add_search(CLI::App& arguments);
Action add_list(CLI::App& arguments);
Action add_show(CLI::App& arguments);
Action add_outbox(CLI::App& arguments);
Action add_status(CLI::App& arguments);
Action add_export(CLI::App& arguments);
Action add_report(CLI::App& arguments);
Action add_query(CLI::App& arguments);
Action add_purge(CLI::App& arguments);
Action add_doctor(CLI::App& arguments);
Action add_backup(CLI::App& arguments);
Action add_restore(CLI::App& arguments);
Action add_verify(CLI::App& arguments);
Action add_config(CLI::App& arguments);
Action add_completions(CLI::App& arguments);
Action add_manual(CLI::App& arguments);
Action add_open(CLI::App& arguments);
Action add_mcp(CLI::App& arguments);
Action add_token(CLI::App& arguments);
Action add_webhook(CLI::App& arguments);
Action add_sandbox(CLI::App& arguments);
Action add_cluster(CLI::App& arguments);

} // namespace alli::daemon
