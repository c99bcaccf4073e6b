// SPDX-License-Identifier: Apache-2.0
// `report`: figures of what is mirrored, by day, app, category, user and channel, beside a running daemon or without.
#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "cache/insights/insights_json.hpp"
#include "cache/store.hpp"
#include "daemon/access/service_reads.hpp"
#include "daemon/arguments/search_arguments.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/settings/paths.hpp"

#include <CLI/CLI.hpp>

namespace alli::daemon {

struct ReportArguments {
    std::string from, to, tz, by;
    std::vector<std::string> apps, users, categories;
    int limit = 20;
    bool json = false;
};

static std::string say_share(std::int64_t part, std::int64_t of)
{
    if (of == 0) return "-";
    return fmt::format("{:.1f}%", 100.0 * static_cast<double>(part) / static_cast<double>(of));
}

static std::string say_number(const std::optional<double>& number)
{
    return number ? fmt::format("{:.0f}", *number) : "-";
}

static void print_head()
{
    fmt::print("{:>13} {:>9} {:>7} {:>7} {:>8} {:>7} {:>9} {:>7} {:>7}\n", "conversations", "messages", "good", "bad",
               "unrated", "bad of", "uncited", "length", "answer");
    fmt::print("{:>13} {:>9} {:>7} {:>7} {:>8} {:>7} {:>9} {:>7} {:>7}\n", "", "", "", "", "", "rated", "", "median",
               "median");
}

static void print_figures(const cache::Figures& it, std::string_view name)
{
    fmt::print("{:>13} {:>9} {:>7} {:>7} {:>8} {:>7} {:>9} {:>7} {:>6}s  {}\n", it.conversations, it.messages, it.good,
               it.bad, it.unrated, say_share(it.bad, it.good + it.bad), it.without_citations,
               say_number(it.median_length), say_number(it.median_answer_seconds), printable_line(name));
}

static void print_group(const cache::Insights& insights, cache::InsightGroup group, int limit)
{
    std::vector<const cache::InsightRow*> rows;
    for (const cache::InsightRow& row : insights.rows)
        if (row.by == group) rows.push_back(&row);
    if (rows.empty()) return;
    const auto most = static_cast<std::size_t>(limit);
    const bool newest = group == cache::InsightGroup::day; // of days the last ones
    const std::size_t first = newest && rows.size() > most ? rows.size() - most : 0;
    fmt::print("\nby {}{}\n", cache::name_of(group),
               rows.size() > most ? fmt::format(" ({} of {})", most, rows.size()) : std::string());
    for (std::size_t at = first; at < std::min(rows.size(), first + most); ++at)
        print_figures(rows[at]->figures, rows[at]->name.empty() ? rows[at]->key : rows[at]->name);
}

static void print_words(const cache::Insights& insights)
{
    if (insights.words.empty()) return;
    fmt::print("\nwords of questions that were answered badly ({} looked at), beside all ({})\n", insights.sampled_bad,
               insights.sampled_all);
    for (const cache::InsightWord& word : insights.words)
        fmt::print("{:>7} {:>7}  {}\n", word.bad, word.all, printable_line(word.word));
}

static cache::InsightQuery make_insight_query(const ReportArguments& arguments)
{
    cache::InsightQuery query;
    query.zone = read_zone(arguments.tz);
    query.from = read_before("--from", arguments.from, query.zone); // a day's first moment
    query.to = read_before("--to", arguments.to, query.zone);
    if (query.from && query.to && *query.from > *query.to)
        throw Error(Fault::usage, "the day of --to does not count itself", "--from is later than --to");
    if (!arguments.by.empty()) query.by = cache::find_insight_group(arguments.by);
    query.apps = arguments.apps, query.users = arguments.users, query.categories = arguments.categories;
    return query;
}

static void print_report(const ReportArguments& arguments, const cache::InsightQuery& query,
                         const cache::Insights& insights, const cache::Covered& covered)
{
    print_head();
    print_figures(insights.totals, "in all");
    for (const cache::InsightGroup group :
         {cache::InsightGroup::day, cache::InsightGroup::app, cache::InsightGroup::category, cache::InsightGroup::user,
          cache::InsightGroup::channel})
        print_group(insights, group, arguments.limit);
    print_words(insights);
    print_unknown(insights.unknown_filters);
    fmt::print(stderr, "note: days are those of {}\n", query.zone.name());
    if (!covered.complete || !insights.complete) print_incomplete_note();
}

// Of a mirror whose files are closed to this user, by its daemon.
static void report_by_daemon(const ReportArguments& arguments, const cache::InsightQuery& query, const Context& context)
{
    const auto bound = [](const std::optional<Instant>& when) { return when ? to_rfc3339(*when) : std::string(); };
    QueryParameters parameters{
        {"from", bound(query.from)}, {"to", bound(query.to)}, {"tz", query.zone.name()}, {"by", arguments.by}};
    for (const std::string& app : arguments.apps) parameters.emplace_back("app", app);
    for (const std::string& user : arguments.users) parameters.emplace_back("user", user);
    for (const std::string& category : arguments.categories) parameters.emplace_back("category", category);
    const std::string body = ask_service(context, target_of("/mirror/v1/insights", parameters));
    if (arguments.json) return print_json(body);
    const ServiceInsights read = read_insights(body);
    print_report(arguments, query, read.insights, read.covered);
}

static int report(const ReportArguments& arguments, const Context& context)
{
    const cache::InsightQuery query = make_insight_query(arguments);
    const MirrorLocation place = find_mirror_location(context.settings(), context.environment);
    if (must_ask_daemon(place)) {
        report_by_daemon(arguments, query, remembering(context));
        return 0;
    }
    const auto db = cache::open_mirror(place.mirror_path);
    const cache::Insights insights = cache::count_insights(*db, query);
    const cache::Covered covered = cache::load_covered(*db);
    if (arguments.json) {
        print_json(cache::insights_json(query, insights, covered));
        return 0;
    }
    if (place.sandbox) fmt::print(stderr, "note: this is the sandbox's mirror\n");
    print_report(arguments, query, insights, covered);
    return 0;
}

Action add_report(CLI::App& arguments)
{
    auto chosen = std::make_shared<ReportArguments>();
    arguments.add_option("--from", chosen->from, "from that day or time on; yesterday, 7d, 3m")->type_name("DATE");
    arguments.add_option("--to", chosen->to, "before that day or time")->type_name("DATE");
    arguments.add_option("--by", chosen->by, "only this table: day, app, category, user or channel")
        ->check(CLI::IsMember({"day", "app", "category", "user", "channel"}));
    arguments.add_option("--app", chosen->apps, "only conversations of this app");
    arguments.add_option("--user", chosen->users, "only conversations of this user");
    arguments.add_option("--category", chosen->categories, "only conversations of this category");
    add_zone(arguments, chosen->tz);
    arguments.add_option("--limit", chosen->limit, "rows of each table, 1 to 1000; only days have more than 200")
        ->check(CLI::Range(1, 1000));
    arguments.add_flag("--json", chosen->json, "as JSON");
    return [chosen](const Context& context) { return report(*chosen, context); };
}

} // namespace alli::daemon
