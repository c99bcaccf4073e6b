// SPDX-License-Identifier: Apache-2.0
// Refuses values of a command that are given and empty: --user "$USER_ID" of a script whose variable is not set must
// not mean everybody. Settings (flags of the program itself) may be empty.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace alli::daemon {

/// Splits "--user=" into "--user" and an empty value; the parser would take the next word for its value.
std::vector<std::string> split_empty_values(const CLI::App& arguments, std::vector<std::string> words);

/// Throws Error{usage} for an empty value of the parsed command, or of a command within it.
void require_no_empty_values(const CLI::App& command);

} // namespace alli::daemon
