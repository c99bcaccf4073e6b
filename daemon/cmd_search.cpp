// SPDX-License-Identifier: Apache-2.0
// `search`: full text over the mirror, offline, beside a running daemon or without one.
#include "alli/error.hpp"
#include "cache/search_json.hpp"
#include "cache/store.hpp"
#include "daemon/commands.hpp"
#include "daemon/places.hpp"
#include "daemon/status.hpp"
#include "daemon/terminal.hpp"

#include <CLI/CLI.hpp>

namespace alli::daemon {

struct SearchArguments {
    std::vector<std::string> words;
    std::string user, app, category, sender, after, before;
    std::string sort = "newest";
    int limit = 20;
    bool json = false;
};

static std::optional<std::string> given(const std::string& text)
{
    return text.empty() ? std::nullopt : std::optional(text);
}

static std::optional<Instant> read_date(const std::string& option, const std::string& text)
{
    if (text.empty()) return std::nullopt;
    const auto when = from_rfc3339(text);
    if (!when)
        throw Error(Fault::usage, "write it as 2026-01-31, or as 2026-01-31T09:30:00Z", "{} {} is no date", option,
                    text);
    return when;
}

static cache::SearchQuery make_query(const SearchArguments& arguments)
{
    cache::SearchQuery query;
    query.text = fmt::format("{}", fmt::join(arguments.words, " "));
    query.user = given(arguments.user);
    query.app = given(arguments.app);
    query.category = given(arguments.category);
    query.sender = given(arguments.sender);
    query.after = read_date("--after", arguments.after);
    query.before = read_date("--before", arguments.before);
    query.sort = arguments.sort == "relevance" ? cache::SearchSort::relevance : cache::SearchSort::newest;
    query.limit = arguments.limit;
    return query;
}

static void print_hit(const cache::SearchHit& hit, bool bold)
{
    const std::string title = hit.title.empty() ? "(no title)" : printable_line(hit.title);
    const std::string who = hit.chat_id ? printable_line(hit.sender) : "title";
    fmt::print("{}  {}  {}{}{}\n", say_time(hit.sent_at), title, printable_line(hit.user), hit.user.empty() ? "" : "  ",
               printable_line(hit.conversation_id));
    fmt::print("    {}: {}\n", who, snippet_text(hit.snippet, bold));
}

static void print_words(const cache::SearchResult& result, const cache::Covered& covered)
{
    const bool bold = wants_bold();
    for (const cache::SearchHit& hit : result.hits) print_hit(hit, bold);
    if (result.hits.empty())
        fmt::print("nothing found\n");
    else if (!result.total_exact)
        fmt::print("{} of more than {}\n", result.hits.size(), result.total);
    else
        fmt::print("{} of {}\n", result.hits.size(), result.total);
    if (!covered.complete)
        fmt::print(stderr, "note: the mirror is not complete yet, so there may be more: see alli-mirror status\n");
}

static int search(const SearchArguments& arguments, const Context& context)
{
    const cache::SearchQuery query = make_query(arguments);
    const Settings settings = context.settings();
    const ReadPlace place = find_read_place(settings, context.environment);
    const auto db = cache::open_mirror(place.mirror_path);
    if (place.sandbox && !arguments.json) fmt::print(stderr, "note: this is the sandbox's mirror\n");

    const cache::SearchResult result = cache::search(*db, query);
    const cache::Covered covered = cache::load_covered(*db);
    if (arguments.json)
        print_json(cache::search_json(query, result, covered));
    else
        print_words(result, covered);
    return 0;
}

Action add_search(CLI::App& arguments)
{
    auto chosen = std::make_shared<SearchArguments>();
    arguments.add_option("QUERY", chosen->words, "words and \"phrases\": all must match; put -- before a -word")
        ->required();
    arguments.add_option("--user", chosen->user, "only conversations of this user");
    arguments.add_option("--app", chosen->app, "only conversations of this app");
    arguments.add_option("--category", chosen->category, "only conversations of this category");
    arguments.add_option("--sender", chosen->sender, "only messages of this sender");
    arguments.add_option("--after", chosen->after, "only messages after then")->type_name("DATE");
    arguments.add_option("--before", chosen->before, "only messages before then")->type_name("DATE");
    arguments.add_option("--sort", chosen->sort, "newest or relevance")->check(CLI::IsMember({"newest", "relevance"}));
    arguments.add_option("--limit", chosen->limit, "how many, 1 to 1000")->check(CLI::Range(1, 1000));
    arguments.add_flag("--json", chosen->json, "as JSON");
    return [chosen](const Context& context) { return search(*chosen, context); };
}

} // namespace alli::daemon
