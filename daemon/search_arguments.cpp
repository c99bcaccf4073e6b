// SPDX-License-Identifier: Apache-2.0
#include "daemon/search_arguments.hpp"

#include "alli/error.hpp"
#include "daemon/query_words.hpp"

#include <CLI/CLI.hpp>

namespace alli::daemon {

static std::optional<std::string> given_text(const std::string& text)
{
    return text.empty() ? std::nullopt : std::optional(text);
}

bool SearchArguments::given() const
{
    const auto filters = {&user, &app, &category, &sender, &after, &before};
    return !words.empty() || std::any_of(filters.begin(), filters.end(), [](const auto* it) { return !it->empty(); });
}

void add_search_filters(CLI::App& arguments, SearchArguments& chosen)
{
    arguments.add_option("--user", chosen.user, "only conversations of this user");
    arguments.add_option("--app", chosen.app, "only conversations of this app");
    arguments.add_option("--category", chosen.category, "only conversations of this category");
    arguments.add_option("--sender", chosen.sender, "only messages of this sender");
    arguments.add_option("--after", chosen.after, "only messages after then")->type_name("DATE");
    arguments.add_option("--before", chosen.before, "only messages before then")->type_name("DATE");
}

std::optional<Instant> read_date(const std::string& option, const std::string& text)
{
    if (text.empty()) return std::nullopt;
    const auto when = from_rfc3339(text);
    if (!when)
        throw Error(Fault::usage, "write it as 2026-01-31, or as 2026-01-31T09:30:00Z", "{} {} is no date", option,
                    text);
    return when;
}

cache::SearchQuery make_query(const SearchArguments& arguments)
{
    cache::SearchQuery query;
    std::vector<std::string> words;
    for (const std::string& word : arguments.words) words.push_back(unmarked(word));
    query.text = fmt::format("{}", fmt::join(words, " "));
    query.user = given_text(arguments.user);
    query.app = given_text(arguments.app);
    query.category = given_text(arguments.category);
    query.sender = given_text(arguments.sender);
    query.after = read_date("--after", arguments.after);
    query.before = read_date("--before", arguments.before);
    return query;
}

} // namespace alli::daemon
