// SPDX-License-Identifier: Apache-2.0
// `search`: full text over the mirror, offline, beside a running daemon or without one.
#include "alli/error.hpp"
#include "alli/json_string.hpp"
#include "cache/search/search_json.hpp"
#include "cache/store.hpp"
#include "daemon/access/service_reads.hpp"
#include "daemon/arguments/query_text.hpp"
#include "daemon/arguments/search_arguments.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/status.hpp"
#include "daemon/settings/paths.hpp"
#include "daemon/settings/projects.hpp"

#include <CLI/CLI.hpp>

namespace alli::daemon {

struct SearchChoice {
    SearchArguments what;
    std::string sort = "newest";
    int limit = 20, context = 0;
    bool grouped = false;
    std::string cursor;
    bool json = false, all_projects = false;
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
    if (!covered.complete || !result.reach.complete) print_incomplete_note();
}

static cache::SearchQuery query_of(const SearchChoice& arguments)
{
    cache::SearchQuery query = make_query(arguments.what);
    query.sort = arguments.sort == "relevance" ? cache::SearchSort::relevance : cache::SearchSort::newest;
    query.limit = arguments.limit;
    query.context = arguments.context;
    query.grouped = arguments.grouped;
    if (!arguments.cursor.empty()) query.cursor = arguments.cursor;
    return query;
}

static void print_answer(std::string answer, const std::string& project)
{
    if (!project.empty()) answer.insert(1, fmt::format("\"project\":{},", quoted_text(project)));
    print_json(answer);
}

static void say(const std::string& mirror_path, const cache::SearchQuery& query, bool json, const std::string& project)
{
    const auto db = cache::open_mirror(mirror_path);
    const cache::SearchResult result = cache::search(*db, query);
    const cache::Covered covered = cache::load_covered(*db);
    if (!json) return print_words(result, covered, query);
    print_answer(cache::search_json(query, result, covered), project);
}

// The same of a mirror whose files are closed to this user, by its daemon.
static void say_by_daemon(const Context& context, const SearchChoice& arguments, const std::string& project)
{
    const std::string target = target_of("/mirror/v1/search", {{"q", query_text(arguments.what)},
                                                               {"tz", read_zone(arguments.what.tz).name()},
                                                               {"sort", arguments.sort},
                                                               {"limit", std::to_string(arguments.limit)},
                                                               {"context", std::to_string(arguments.context)},
                                                               {"group", arguments.grouped ? "conversation" : ""},
                                                               {"cursor", arguments.cursor}});
    std::string body = ask_service(context, target);
    if (arguments.json) return print_answer(std::move(body), project);
    const ServiceSearch found = read_search(body);
    print_words(found.result, found.covered, query_of(arguments));
}

// One after the other, each under its name, in JSON a line each: what cannot be read does not hide the others.
static int search_all(const SearchChoice& arguments, const Context& context)
{
    const cache::SearchQuery query = query_of(arguments);
    const auto projects = find_projects(context);
    if (projects.empty())
        throw Error(Fault::io, "start `alli-mirror serve` or run `alli-mirror sync` first",
                    "there is no mirror that can be read");
    std::size_t unread = 0;
    for (const Project& project : projects) {
        if (!arguments.json) fmt::print("== {} ({})\n", project.name, printable_line(project.mirror_path));
        try {
            if (project.hidden)
                say_by_daemon(project.context, arguments, project.name);
            else
                say(project.mirror_path, query, arguments.json, project.name);
        } catch (const Error& error) {
            if (error.fault() == Fault::usage) throw; // the same for all
            fmt::print(stderr, "note: {} is left out: {}\n", project.name, printable_line(error.what()));
            ++unread;
        }
    }
    return unread == projects.size() ? 1 : 0;
}

static int search(const SearchChoice& arguments, const Context& context)
{
    if (arguments.all_projects) return search_all(arguments, context);
    const MirrorLocation place = find_mirror_location(context.settings(), context.environment);
    if (place.sandbox && !arguments.json) fmt::print(stderr, "note: this is the sandbox's mirror\n");
    if (must_ask_daemon(place))
        say_by_daemon(remembering(context), arguments, "");
    else
        say(place.mirror_path, query_of(arguments), arguments.json, "");
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
    CLI::Option* cursor = arguments.add_option("--cursor", chosen->cursor, "go on where a page before ended");
    arguments
        .add_flag("--all-projects", chosen->all_projects,
                  "in all mirrors of this machine that you may read, one's own and the services'; JSON: a line each")
        ->excludes(cursor);
    arguments.add_flag("--json", chosen->json, "as JSON");
    return [chosen](const Context& context) { return search(*chosen, context); };
}

} // namespace alli::daemon
