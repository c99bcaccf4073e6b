// SPDX-License-Identifier: Apache-2.0
// Keeps words of a query that begin with a hyphen (-hockey: without that word) from being parsed as options.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace alli::daemon {

/// Marks the words of a command line (without the program's name) that belong to a query and look like an option. -h
/// alone and words with two hyphens remain options until a word "--"; values of options are not marked.
std::vector<std::string> mark_query_words(const CLI::App& arguments, std::vector<std::string> words);

/// Removes the mark.
std::string unmarked(const std::string& word);

} // namespace alli::daemon
