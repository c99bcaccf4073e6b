// SPDX-License-Identifier: Apache-2.0
// Shell completion: which words may stand at the cursor, read off the table of commands. The shells' scripts only call
// the hidden command __complete, so that all of them offer the same.
#pragma once

#include "daemon/commands/command_tree.hpp"

#include <functional>

namespace alli::daemon {

struct Candidate {
    std::string word, help;
    bool operator==(const Candidate&) const = default;
};

struct Completion {
    std::vector<Candidate> candidates; // all begin with the word at the cursor
    bool files = false;                // the shell completes a path
};

/// Candidates for a value whose type name is `type` ("CONVERSATION") that begin with `prefix`; none where the type has
/// no known values.
using FindValues = std::function<std::vector<Candidate>(const std::string& type, const std::string& prefix)>;

/// `words`: what follows the program's name, up to the word at the cursor (the last one, which may be empty). bash
/// splits --option=value into three words.
Completion complete(const CommandText& program, std::vector<std::string> words, const FindValues& find_values);

} // namespace alli::daemon
