// SPDX-License-Identifier: Apache-2.0
#include "daemon/arguments/search_arguments.hpp"

#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "alli/relative_time.hpp"
#include "cache/search/query_parser.hpp"
#include "daemon/arguments/query_words.hpp"
#include "daemon/output/terminal.hpp"

#include <CLI/CLI.hpp>

namespace alli::daemon {

static std::optional<std::string> given_text(const std::string& text)
{
    return text.empty() ? std::nullopt : std::optional(text);
}

bool SearchArguments::given() const
{
    const auto filters = {&user,   &app,          &category, &sender,   &after,   &before,
                          &rating, &agent_rating, &state,    &assignee, &channel, &has};
    return !words.empty() || std::any_of(filters.begin(), filters.end(), [](const auto* it) { return !it->empty(); });
}

std::string SearchArguments::described() const
{
    std::string all;
    for (const auto& [name, value] : {std::pair{"user", &user},
                                      {"app", &app},
                                      {"category", &category},
                                      {"sender", &sender},
                                      {"rating", &rating},
                                      {"agent-rating", &agent_rating},
                                      {"state", &state},
                                      {"assignee", &assignee},
                                      {"channel", &channel},
                                      {"has", &has},
                                      {"after", &after},
                                      {"before", &before},
                                      {"tz", &tz}})
        if (!value->empty()) all += fmt::format(" --{} {}", name, *value);
    for (const std::string& word : words) all += ' ' + unmarked(word);
    return all;
}

void add_search_filters(CLI::App& arguments, SearchArguments& chosen)
{
    arguments.add_option("--user", chosen.user, "only conversations of this user");
    arguments.add_option("--app", chosen.app, "only conversations of this app");
    arguments.add_option("--category", chosen.category, "only conversations of this category");
    arguments.add_option("--sender", chosen.sender, "only messages of this sender");
    arguments.add_option("--rating", chosen.rating, "only messages rated so by their user; none: unrated answers")
        ->check(CLI::IsMember({"good", "bad", "none"}));
    arguments.add_option("--agent-rating", chosen.agent_rating, "only messages rated so by an agent")
        ->check(CLI::IsMember({"good", "bad", "none"}));
    arguments.add_option("--state", chosen.state, "only conversations in this state");
    arguments.add_option("--assignee", chosen.assignee, "only conversations of this assignee");
    arguments.add_option("--channel", chosen.channel, "only conversations of this channel");
    arguments.add_option("--has", chosen.has, "only messages with feedback, with citations, or with steps")
        ->check(CLI::IsMember({"feedback", "citations", "steps"}));
    arguments
        .add_option("--after", chosen.after, "only messages of that day or later, or after that time; yesterday, 7d")
        ->type_name("DATE");
    arguments.add_option("--before", chosen.before, "only messages before that day or time")->type_name("DATE");
    add_zone(arguments, chosen.tz);
}

void add_zone(CLI::App& arguments, std::string& name)
{
    arguments
        .add_option("--tz", name,
                    "the time zone of days and of the times shown, as Asia/Seoul (default: this machine's)")
        ->type_name("ZONE");
}

Zone read_zone(const std::string& name)
{
    return name.empty() ? Zone::of_host() : Zone::load(name);
}

static std::optional<Instant> require_date(std::optional<Instant> read, const std::string& option,
                                           const std::string& text)
{
    if (!read && !text.empty())
        throw Error(Fault::usage, "write it as 2026-01-31, as 2026-01-31T09:30:00Z, or as yesterday, 7d or 24h",
                    "{} {} is no date", option, text);
    return read;
}

std::optional<Instant> read_after(const std::string& option, const std::string& text, const Zone& zone)
{
    return require_date(alli::read_after(absolute_time(text, zone, SystemClock().now()), zone), option, text);
}

std::optional<Instant> read_before(const std::string& option, const std::string& text, const Zone& zone)
{
    return require_date(alli::read_before(absolute_time(text, zone, SystemClock().now()), zone), option, text);
}

void print_unknown(const std::vector<cache::UnknownFilter>& unknown)
{
    for (const cache::UnknownFilter& one : unknown) {
        const std::string valid = one.valid.empty() ? "" : fmt::format("; there are {}", fmt::join(one.valid, ", "));
        fmt::print(stderr, "note: {}\n",
                   printable_line(fmt::format("{}:{} {}{}", one.name, one.value,
                                              one.as_words ? "is no filter and was searched for as words"
                                                           : "is nothing that a conversation has",
                                              valid)));
    }
}

void print_zone(const cache::SearchQuery& query)
{
    const cache::Filters filters = cache::parse_query(query).filters;
    if (filters.after || filters.before) fmt::print(stderr, "note: days are those of {}\n", query.zone.name());
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
    for (const auto& [name, value] : {std::pair{"rating", &arguments.rating},
                                      {"agentrating", &arguments.agent_rating},
                                      {"state", &arguments.state},
                                      {"assignee", &arguments.assignee},
                                      {"channel", &arguments.channel},
                                      {"has", &arguments.has}})
        if (!value->empty()) query.more.emplace_back(name, *value);
    query.now = SystemClock().now();
    query.zone = read_zone(arguments.tz);
    query.after = read_after("--after", arguments.after, query.zone);
    query.before = read_before("--before", arguments.before, query.zone);
    return query;
}

} // namespace alli::daemon
