// SPDX-License-Identifier: Apache-2.0
// `list`: the mirrored conversations, newest chat first, or those that filters leave.
#include "alli/error.hpp"
#include "cache/lists/summaries.hpp"
#include "cache/rows/coverage.hpp"
#include "cache/search/matching_list.hpp"
#include "cache/search/reach.hpp"
#include "cache/search/search.hpp"
#include "cache/store.hpp"
#include "daemon/access/service_reads.hpp"
#include "daemon/arguments/query_text.hpp"
#include "daemon/arguments/search_arguments.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/service/status.hpp"
#include "daemon/settings/paths.hpp"

#include <CLI/CLI.hpp>

namespace alli::daemon {

struct ListArguments {
    SearchArguments what;
    int limit = 20;
    bool json = false;
};

struct Listed {
    std::vector<cache::Summary> summaries;
    bool whole = false; // nobody is missing
    cache::Covered covered = {};
};

static Listed list_filtered(cache::Reader& db, const ListArguments& arguments)
{
    const cache::SearchQuery query = make_query(arguments.what);
    const cache::MatchingList found = cache::list_matching(db, query, arguments.limit);
    print_unknown(found.unknown_filters);
    print_zone(query);
    Listed listed;
    for (const ConversationId& id : found.ids)
        if (auto summary = cache::find_summary(db, id)) listed.summaries.push_back(std::move(*summary));
    listed.whole = cache::load_covered(db).complete && cache::reaches_all(db, cache::parse_query(query));
    return listed;
}

static Listed list_newest(cache::Reader& db, const ListArguments& arguments)
{
    Listed listed{cache::list_summaries(db, arguments.limit)};
    listed.whole = cache::is_whole(db, listed.summaries, arguments.limit);
    return listed;
}

constexpr int most_by_daemon = 1000; // found in one search, and looked up one by one

// Of a mirror whose files are closed to this user, by its daemon.
static Listed list_filtered_by_daemon(const Context& context, const ListArguments& arguments)
{
    if (arguments.limit > most_by_daemon)
        throw Error(Fault::usage, "take export, which has no limit, or run it as root",
                    "with filters the daemon lists at most {}", most_by_daemon);
    const cache::SearchQuery query = make_query(arguments.what);
    const ServiceSearch found =
        read_search(ask_service(context, target_of("/mirror/v1/search", {{"q", query_text(arguments.what)},
                                                                         {"tz", query.zone.name()},
                                                                         {"limit", std::to_string(arguments.limit)},
                                                                         {"group", "conversation"}})));
    print_unknown(found.result.unknown_filters);
    print_zone(query);
    Listed listed{{}, found.covered.complete, found.covered};
    for (const cache::SearchHit& hit : found.result.hits)
        if (auto one = ask_conversation(context, ConversationId{hit.conversation_id}))
            listed.summaries.push_back(std::move(one->summary));
    return listed;
}

static Listed list_by_daemon(const Context& context, const ListArguments& arguments)
{
    if (arguments.what.given()) return list_filtered_by_daemon(context, arguments);
    const cache::Covered covered = ask_coverage(context);
    return {ask_newest(context, arguments.limit), covered.complete, covered};
}

static Listed list_by_files(const std::string& mirror_path, const ListArguments& arguments)
{
    const auto db = cache::open_mirror(mirror_path);
    Listed listed = arguments.what.given() ? list_filtered(*db, arguments) : list_newest(*db, arguments);
    listed.covered = cache::load_covered(*db);
    return listed;
}

// What varies in width stands last.
static void print_summaries(const std::vector<cache::Summary>& summaries, bool filtered)
{
    for (const cache::Summary& summary : summaries)
        fmt::print("{:<26}  {:>5} {:<5}  {:<44}  {}{}{}\n", say_time(summary.last_chat_at), summary.chats,
                   summary.chats == 1 ? "chat" : "chats", printable_line(summary.id),
                   summary.title.empty() ? "(no title)" : printable_line(summary.title),
                   summary.user.empty() ? "" : "  ", printable_line(summary.user));
    if (summaries.empty())
        fmt::print("{}\n", filtered ? "no conversation is like that"
                                    : "the mirror holds no conversation yet: see alli-mirror status");
}

static void print_gap_note(const cache::Covered& covered)
{
    if (covered.from)
        fmt::print(stderr,
                   "note: the mirror is complete from {} on; older conversations, and those without a chat, may "
                   "be missing here\n",
                   say_time(covered.from));
    else
        fmt::print(stderr, "note: the mirror is not complete for any time yet; conversations may be missing here\n");
}

static int list(const ListArguments& arguments, const Context& context)
{
    const MirrorLocation place = find_mirror_location(context.settings(), context.environment);
    const auto [summaries, whole, covered] = must_ask_daemon(place) ? list_by_daemon(remembering(context), arguments)
                                                                    : list_by_files(place.mirror_path, arguments);
    if (!arguments.json) {
        print_summaries(summaries, arguments.what.given());
        if (!whole && !summaries.empty()) print_gap_note(covered);
        return 0;
    }
    Json json;
    json["conversations"] = Json::array();
    for (const cache::Summary& summary : summaries) json["conversations"].push_back(summary_json(summary));
    json["whole"] = whole;
    json["coverage"] = coverage_json(covered);
    print_json(dump(json));
    return 0;
}

Action add_list(CLI::App& arguments)
{
    auto chosen = std::make_shared<ListArguments>();
    add_search_filters(arguments, chosen->what);
    arguments.add_option("--limit", chosen->limit, "how many, 1 to 100000")->check(CLI::Range(1, 100'000));
    arguments.add_flag("--json", chosen->json, "as JSON");
    return [chosen](const Context& context) { return list(*chosen, context); };
}

} // namespace alli::daemon
