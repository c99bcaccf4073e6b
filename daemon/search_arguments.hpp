// SPDX-License-Identifier: Apache-2.0
// What selects messages on a command line: words and filters, for `search` and `export`.
#pragma once

#include "cache/search.hpp"

namespace CLI {
class App;
}

namespace alli::daemon {

struct SearchArguments {
    std::vector<std::string> words;
    std::string user, app, category, sender, after, before;

    bool given() const;
};

void add_search_filters(CLI::App& arguments, SearchArguments& chosen);

/// A date of the command line; none for an empty text. Throws Error{usage}.
std::optional<Instant> read_date(const std::string& option, const std::string& text);

/// Throws Error{usage} for a date that is none.
cache::SearchQuery make_query(const SearchArguments& arguments);

} // namespace alli::daemon
