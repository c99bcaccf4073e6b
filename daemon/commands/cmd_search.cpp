// SPDX-License-Identifier: Apache-2.0
// `search`: full text over the mirror, offline, beside a running daemon or without one.
#include "cache/search/search_json.hpp"
#include "cache/store.hpp"
#include "daemon/arguments/search_arguments.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/status.hpp"
#include "daemon/settings/paths.hpp"

#include <CLI/CLI.hpp>

namespace alli::daemon {

struct SearchChoice {
    SearchArguments what;
    std::string sort = "newest";
    int limit = 20, context = 0;
    bool grouped = false;
    std::string cursor;
    bool json = false;
};

static void print_context(const std::vector<cache::ContextChat>& chats)
{
    for (const cache::ContextChat& chat : chats)
        fmt::print("      {}: {}\n", printable_line(chat.sender), printable_line(chat.text));
}

static void print_hit(const cache::SearchHit& hit, const Zone& zone, bool bold)
{
    const std::string title = hit.title.empty() ? "(no title)" : printable_line(hit.title);
    const std::string who = hit.chat_id ? printable_line(hit.sender) : "title";
    fmt::print("{}  {}  {}{}{}\n", say_time(hit.sent_at, zone), title, printable_line(hit.user),
               hit.user.empty() ? "" : "  ", printable_line(hit.conversation_id));
    print_context(hit.before);
    const std::string_view rated = !hit.rating ? "" : *hit.rating ? " (rated good)" : " (rated bad)";
    fmt::print("    {}{}: {}\n", who, rated, snippet_text(hit.snippet, bold));
    print_context(hit.after);
    if (hit.in_conversation > 1) fmt::print("    and {} more in this conversation\n", hit.in_conversation - 1);
}

static std::string count_of(const cache::SearchResult& result)
{
    const std::string total =
        result.total_exact ? std::to_string(result.total) : fmt::format("more than {}", result.total);
    return fmt::format("{} of {}", result.hits.size(), total);
}

static void print_words(const cache::SearchResult& result, const cache::Covered& covered,
                        const cache::SearchQuery& query)
{
    const bool bold = wants_bold();
    for (const cache::SearchHit& hit : result.hits) print_hit(hit, query.zone, bold);
    print_unknown(result.unknown_filters);
    fmt::print("{}\n", result.hits.empty() ? "nothing found" : count_of(result));
    if (result.next) fmt::print("the next ones: the same with --cursor {}\n", *result.next);
    print_zone(query);
    if (!covered.complete)
        fmt::print(stderr, "note: the mirror is not complete yet, so there may be more: see alli-mirror status\n");
}

static int search(const SearchChoice& arguments, const Context& context)
{
    cache::SearchQuery query = make_query(arguments.what);
    query.sort = arguments.sort == "relevance" ? cache::SearchSort::relevance : cache::SearchSort::newest;
    query.limit = arguments.limit;
    query.context = arguments.context;
    query.grouped = arguments.grouped;
    if (!arguments.cursor.empty()) query.cursor = arguments.cursor;
    const Settings settings = context.settings();
    const MirrorLocation place = find_mirror_location(settings, context.environment);
    const auto db = cache::open_mirror(place.mirror_path);
    if (place.sandbox && !arguments.json) fmt::print(stderr, "note: this is the sandbox's mirror\n");

    const cache::SearchResult result = cache::search(*db, query);
    const cache::Covered covered = cache::load_covered(*db);
    if (arguments.json)
        print_json(cache::search_json(query, result, covered));
    else
        print_words(result, covered, query);
    return 0;
}

Action add_search(CLI::App& arguments)
{
    auto chosen = std::make_shared<SearchChoice>();
    arguments.add_option("QUERY", chosen->what.words, "words and \"phrases\": all must match, and no -word may")
        ->required();
    add_search_filters(arguments, chosen->what);
    arguments.add_option("--sort", chosen->sort, "newest or relevance")->check(CLI::IsMember({"newest", "relevance"}));
    arguments.add_option("--limit", chosen->limit, "how many, 1 to 1000")->check(CLI::Range(1, 1000));
    arguments.add_option("--context", chosen->context, "messages before and after each hit, 0 to 20")
        ->check(CLI::Range(0, 20));
    arguments.add_flag("--group", chosen->grouped, "one hit a conversation, and how many more there are");
    arguments.add_option("--cursor", chosen->cursor, "go on where a page before ended");
    arguments.add_flag("--json", chosen->json, "as JSON");
    return [chosen](const Context& context) { return search(*chosen, context); };
}

} // namespace alli::daemon
