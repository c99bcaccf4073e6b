// SPDX-License-Identifier: Apache-2.0
// Words of a search that begin with a hyphen (-hockey: without that word), where options are read too.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace alli::daemon {

/// The words of a command line (without the program's name), with a sign before each that is a search's and would be
/// taken for an option. -h alone stays an option, as does what begins with two hyphens, until a word that is -- alone;
/// a value stays as it is.
std::vector<std::string> mark_query_words(const CLI::App& arguments, std::vector<std::string> words);

/// A word of a query without that sign.
std::string unmarked(const std::string& word);

} // namespace alli::daemon
