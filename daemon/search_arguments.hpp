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
    std::string user, app, category, sender, after, before, tz;

    bool given() const;
};

void add_search_filters(CLI::App& arguments, SearchArguments& chosen);

/// --tz: whose days are meant, and whose times are shown.
void add_zone(CLI::App& arguments, std::string& name);
/// The zone it names, else this machine's. Throws Error{usage}.
Zone read_zone(const std::string& name);

/// A bound of the command line, exclusive; none for an empty text. Throws Error{usage}.
std::optional<Instant> read_after(const std::string& option, const std::string& text, const Zone& zone);
std::optional<Instant> read_before(const std::string& option, const std::string& text, const Zone& zone);

/// Throws Error{usage} for a date or a zone that is none.
cache::SearchQuery make_query(const SearchArguments& arguments);

/// On stderr, where the query has a bound in time: whose days were meant.
void print_zone(const cache::SearchQuery& query);

} // namespace alli::daemon
