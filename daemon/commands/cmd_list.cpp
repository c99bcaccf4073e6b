// SPDX-License-Identifier: Apache-2.0
// `list`: the mirrored conversations, newest chat first, or those that filters leave.
#include "cache/lists/summaries.hpp"
#include "cache/rows/coverage.hpp"
#include "cache/search/matching_list.hpp"
#include "cache/store.hpp"
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
    listed.whole = cache::load_covered(db).complete;
    return listed;
}

static Listed list_newest(cache::Reader& db, const ListArguments& arguments)
{
    Listed listed{cache::list_summaries(db, arguments.limit)};
    listed.whole = cache::is_whole(db, listed.summaries, arguments.limit);
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
    const auto db = cache::open_mirror(place.mirror_path);
    const bool filtered = arguments.what.given();
    const auto [summaries, whole] = filtered ? list_filtered(*db, arguments) : list_newest(*db, arguments);
    if (!arguments.json) {
        print_summaries(summaries, filtered);
        if (!whole && !summaries.empty()) print_gap_note(cache::load_covered(*db));
        return 0;
    }
    Json json;
    json["conversations"] = Json::array();
    for (const cache::Summary& summary : summaries) json["conversations"].push_back(summary_json(summary));
    json["whole"] = whole;
    json["coverage"] = make_coverage(*db);
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
