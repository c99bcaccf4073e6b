// SPDX-License-Identifier: Apache-2.0
// Command line arguments that select messages: query and filters, for `search` and `export`.
#pragma once

#include "cache/search/search.hpp"

namespace CLI {
class App;
}

namespace alli::daemon {

struct SearchArguments {
    std::vector<std::string> words;
    std::string user, app, category, sender, after, before, tz;
    std::string rating, agent_rating, state, assignee, channel, has;

    bool given() const;
    std::string described() const; // as they were given, each after a blank
};

void add_search_filters(CLI::App& arguments, SearchArguments& chosen);

/// Declares --tz, the time zone of dates in queries and output.
void add_zone(CLI::App& arguments, std::string& name);
/// The named time zone, else the machine's. Throws Error{usage}.
Zone read_zone(const std::string& name);

/// An exclusive time bound, also "yesterday" or "7d"; none for an empty text. Throws Error{usage}.
std::optional<Instant> read_after(const std::string& option, const std::string& text, const Zone& zone);
std::optional<Instant> read_before(const std::string& option, const std::string& text, const Zone& zone);

/// Throws Error{usage} for an invalid date or time zone.
cache::SearchQuery make_query(const SearchArguments& arguments);

/// Prints on stderr what was given as a filter and is none, with what would be.
void print_unknown(const std::vector<cache::UnknownFilter>& unknown);

/// Prints the time zone in use on stderr if the query has a time bound.
void print_zone(const cache::SearchQuery& query);

} // namespace alli::daemon
