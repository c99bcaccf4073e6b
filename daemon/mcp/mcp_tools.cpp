// SPDX-License-Identifier: Apache-2.0
#include "daemon/mcp/mcp_tools.hpp"

#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "cache/export/mask_json.hpp"
#include "cache/search/matching_list.hpp"
#include "cache/search/reach.hpp"
#include "cache/search/search_json.hpp"
#include "cache/store.hpp"
#include "cache/text/mask.hpp"
#include "daemon/mcp/mcp_arguments.hpp"
#include "daemon/mcp/mcp_size.hpp"
#include "daemon/service/daemon_call.hpp"
#include "daemon/service/status.hpp"
#include "daemon/settings/operations.hpp"
#include "daemon/settings/paths.hpp"
#include "upstream/target.hpp"

#include <algorithm>

namespace alli::daemon {
namespace {

// ---- reads

std::unique_ptr<cache::Reader> open_here(const Context& context)
{
    return cache::open_mirror(find_mirror_location(context.settings(), context.environment).mirror_path);
}

bool masks(const Context& context)
{
    return context.settings().config.mcp_mask;
}

struct FilterArgument {
    const char* argument;
    const char* filter; // of a query
};
constexpr auto more_filters = std::to_array<FilterArgument>({
    {"rating", "rating"},
    {"agentRating", "agentrating"},
    {"state", "state"},
    {"assignee", "assignee"},
    {"channel", "channel"},
    {"has", "has"},
});

void require_valid(const FilterArgument& filter, const cache::SearchQuery& query)
{
    const auto unknown = cache::parse_query(query).filters.unknown;
    if (!unknown.empty() && !unknown.back().as_words)
        throw Error(Fault::usage, "", "{} must be one of {}", filter.argument, fmt::join(unknown.back().valid, ", "));
}

// What search and list_conversations take alike.
cache::SearchQuery read_filters(const Json& arguments)
{
    cache::SearchQuery query;
    query.now = SystemClock().now();
    for (const FilterArgument& filter : more_filters)
        if (auto value = read_optional(arguments, filter.argument)) {
            query.more.emplace_back(filter.filter, std::move(*value));
            require_valid(filter, query);
        }
    query.user = read_optional(arguments, "user");
    query.app = read_optional(arguments, "app");
    query.category = read_optional(arguments, "category");
    query.sender = read_optional(arguments, "sender");
    query.zone = read_zone(arguments);
    query.after = read_bound(arguments, "after", query.zone, &read_after);
    query.before = read_bound(arguments, "before", query.zone, &read_before);
    return query;
}

bool is_filtered(const Json& arguments)
{
    for (const char* name : {"user", "app", "category", "sender", "after", "before"})
        if (!read_text(arguments, name).empty()) return true;
    return std::any_of(more_filters.begin(), more_filters.end(),
                       [&](const FilterArgument& filter) { return !read_text(arguments, filter.argument).empty(); });
}

cache::SearchQuery read_search(const Json& arguments, bool mask)
{
    cache::SearchQuery query = read_filters(arguments);
    query.text = require_text(arguments, "query");
    if (mask) query.text = cache::mask_text(query.text); // what is masked in answers must not be found by it
    query.limit = read_number(arguments, "limit", 20, 1, 100);
    query.cursor = read_optional(arguments, "cursor");
    const std::string sort = read_text(arguments, "sort");
    if (!sort.empty() && sort != "newest" && sort != "relevance")
        throw Error(Fault::usage, "", "sort must be newest or relevance");
    if (sort == "relevance") query.sort = cache::SearchSort::relevance;
    return query;
}

// If the results do not fit, the search is repeated with a lower limit, so that `next` continues behind those that do.
Json run_search(const Context& context, const Json& arguments, std::size_t room)
{
    const bool mask = masks(context);
    cache::SearchQuery query = read_search(arguments, mask);
    const auto db = open_here(context);
    for (;;) {
        Json result = Json::parse(cache::search_json(query, cache::search(*db, query), cache::load_covered(*db)));
        if (mask) cache::mask_json(result);
        for (Json& hit : result["results"]) shorten_names(hit);
        const int found = static_cast<int>(result["results"].size());
        Json shorter = result;
        const int fitting = found - static_cast<int>(drop_last(shorter, "results", room));
        if (fitting == found || query.limit == 1) return result;
        query.limit = std::clamp(fitting, 1, query.limit - 1);
    }
}

struct Listed {
    std::vector<cache::Summary> summaries;
    bool whole = false, more = false;
    std::vector<cache::UnknownFilter> unknown_filters = {};
};

Listed list_filtered(cache::Reader& db, const cache::SearchQuery& query, int limit, int offset)
{
    cache::MatchingList found = cache::list_matching(db, query, limit, offset);
    Listed listed;
    for (const ConversationId& id : found.ids)
        if (auto summary = cache::find_summary(db, id)) listed.summaries.push_back(std::move(*summary));
    listed.whole = cache::load_covered(db).complete && cache::reaches_all(db, cache::parse_query(query));
    listed.more = found.more;
    listed.unknown_filters = std::move(found.unknown_filters);
    return listed;
}

Listed list_newest(cache::Reader& db, int limit, int offset)
{
    Listed listed{cache::list_summaries(db, limit, offset)};
    listed.whole = cache::is_whole(db, listed.summaries, limit);
    listed.more = std::ssize(listed.summaries) == limit;
    return listed;
}

Json run_list(const Context& context, const Json& arguments, std::size_t room)
{
    const int limit = read_number(arguments, "limit", 20, 1, 200);
    const int offset = read_number(arguments, "offset", 0, 0, 1'000'000);
    const auto db = open_here(context);
    Json result;
    result["conversations"] = Json::array();
    const bool filtered = is_filtered(arguments);
    const auto [summaries, whole, more, unknown] =
        filtered ? list_filtered(*db, read_filters(arguments), limit, offset) : list_newest(*db, limit, offset);
    const bool mask = masks(context);
    for (const cache::Summary& summary : summaries) {
        Json json = summary_json(summary);
        if (mask) cache::mask_json(json);
        shorten_names(json);
        result["conversations"].push_back(std::move(json));
    }
    result["whole"] = whole;
    for (const cache::UnknownFilter& one : unknown) result["unknownFilters"].push_back(cache::unknown_json(one));
    if (mask && !unknown.empty()) cache::mask_json(result["unknownFilters"]);
    result["coverage"] = make_coverage(*db);
    result["next"] = offset + limit;
    const bool dropped = drop_last(result, "conversations", room) > 0;
    const auto next = offset + static_cast<std::int64_t>(result["conversations"].size());
    result["next"] = more || dropped ? Json(next) : Json(nullptr);
    return result;
}

Json run_get(const Context& context, const Json& arguments, std::size_t room)
{
    const ConversationId id{require_text(arguments, "id")};
    ChatPage page;
    page.offset = read_number(arguments, "offset", 0, 0, 10'000'000);
    page.limit = read_number(arguments, "limit", 50, 1, 200);
    page.text_offset = static_cast<std::size_t>(read_number(arguments, "textOffset", 0, 0, 1'000'000'000));
    page.text_limit = static_cast<std::size_t>(read_number(arguments, "textLimit", 4'000, 1, longest_answer));
    const auto db = open_here(context);
    const auto summary = cache::find_summary(*db, id);
    if (!summary)
        throw Error(Fault::refused, "search or list_conversations tell what there is",
                    "the mirror holds no such conversation");
    Json result;
    result["conversation"] = summary_json(*summary);
    const bool mask = masks(context);
    if (mask) cache::mask_json(result["conversation"]);
    shorten_names(result["conversation"]);
    constexpr std::size_t members = 100; // "chats", "next" and their like, twice
    const std::size_t taken = size_of(result) + members;
    const auto read = [&](int first, int count) {
        auto chats = cache::read_chats(*db, id, first, count);
        if (mask) // before a text is cut: half an address would stay
            for (cache::ReadableChat& chat : chats) {
                chat.sender = cache::mask_text(chat.sender);
                chat.text = cache::mask_text(chat.text);
            }
        return chats;
    };
    result.update(fit_chats(page, summary->chats, room - std::min(room, taken), read));
    return result;
}

Json run_status(const Context& context, const Json&, std::size_t room)
{
    Json status = load_status(context);
    if (const std::size_t dropped = drop_last(status, "problems", room)) status["problemsLeftOut"] = dropped;
    return status;
}

// ---- writes

// From the daemon's status: it may run with other settings than this process.
Operation load_operation(const Context& context, std::string_view key)
{
    const DaemonRequest request{"GET", "/mirror/v1/status", ""};
    const DaemonAnswer answer = call_daemon(context, request);
    if (answer.status != 200) throw refused_by_daemon(answer);
    const Json status = Json::parse(answer.body, nullptr, false);
    const auto found = status.is_object() ? find_operation(status, key) : std::nullopt;
    if (!found) throw Error(Fault::bad_reply, "restart the daemon", "the daemon is of another version");
    return *found;
}

Json send_write(const Context& context, const std::string& method, const std::string& target, const Json& body)
{
    const DaemonRequest request{method, target, dump(body)};
    const DaemonAnswer answer = call_daemon(context, request);
    if (answer.status < 200 || answer.status > 299) throw refused_by_daemon(answer);
    Json result;
    result["outcome"] =
        answer.status == 202 ? "queued" : "delivered"; // queued: it goes upstream as soon as that is there
    return result;
}

Json run_rename(const Context& context, const Json& arguments, std::size_t)
{
    Json body;
    body["title"] = require_text(arguments, "title");
    const std::string id = upstream::percent_encoded(require_text(arguments, "id"));
    const Operation title = load_operation(context, "upstream.title");
    return send_write(context, title.method, path_with(title, id), body);
}

Json run_rate(const Context& context, const Json& arguments, std::size_t)
{
    Json body;
    body["rating"] = require_flag(arguments, "rating");
    if (const auto better = read_optional(arguments, "suggestedAnswer")) body["suggestedAnswer"] = *better;
    const ConversationId id{require_text(arguments, "id")};
    const ChatId chat{require_text(arguments, "chatId")};
    return send_write(context, "POST", upstream::chat_target(id, chat, "/feedback"), body);
}

// ---- the table

struct Row {
    std::string_view name, title, description, input, output;
    bool writes;
    Json (*run)(const Context&, const Json&, std::size_t room);
};

// Common to all read tools. A literal, because the schemas are concatenated at compile time.
#define ALLI_MAX_BYTES                                                                                                 \
    R"("maxBytes":{"type":"integer","minimum":4000,"maximum":4000000,"default":40000,"description":"of the whole answer"})"

// Likewise, to search and list_conversations.
#define ALLI_FILTERS                                                                                                   \
    R"("user":{"type":"string"},"app":{"type":"string"},"category":{"type":"string"},"sender":{"type":"string"},)"     \
    R"("rating":{"type":"string","enum":["good","bad","none"],"description":"by the user; none: unrated answers"},)"   \
    R"("agentRating":{"type":"string","enum":["good","bad","none"]},"state":{"type":"string"},)"                       \
    R"("assignee":{"type":"string"},"channel":{"type":"string"},)"                                                     \
    R"("has":{"type":"string","enum":["feedback","citations","steps"]},)"                                              \
    R"("after":{"type":"string","description":"RFC 3339 time, or the first day; also yesterday, 7d, 24h"},)"           \
    R"("before":{"type":"string","description":"RFC 3339 time, or the day after the last"},)"                          \
    R"("tz":{"type":"string","description":"IANA time zone of the days, as Asia/Seoul; by default the machine's"},)"

constexpr std::string_view any_object = R"({"type":"object"})";
constexpr std::string_view outcome =
    R"({"type":"object","properties":{"outcome":{"type":"string","enum":["queued","delivered"]}},"required":["outcome"]})";

constexpr auto table = std::to_array<Row>({
    {"search", "Search messages",
     "Full-text search over all mirrored messages, titles and user names, in any script. Words (all must match), "
     "\"phrases\", OR, -not, prefix*. Snippets are HTML-escaped with <mark> around hits. coverage says how far the "
     "mirror is complete.",
     R"({"type":"object","properties":{"query":{"type":"string"},"limit":{"type":"integer","minimum":1,"maximum":100,"default":20},)"
     R"("sort":{"type":"string","enum":["newest","relevance"]},)" ALLI_FILTERS
     R"("cursor":{"type":"string","description":"next of the page before"},)" ALLI_MAX_BYTES
     R"(},"required":["query"],"additionalProperties":false})",
     R"({"type":"object","properties":{"results":{"type":"array"},"total":{"type":"integer"},"next":{"type":["string","null"]},"coverage":{"type":"object"}},"required":["results","total"]})",
     false, &run_search},
    {"list_conversations", "List conversations",
     "The mirrored conversations, newest chat first, or those that filters leave: with a badly rated answer, in a "
     "state.",
     R"({"type":"object","properties":{"limit":{"type":"integer","minimum":1,"maximum":200,"default":20},"offset":{"type":"integer","minimum":0,"default":0,"description":"next of the page before"},)" ALLI_FILTERS
         ALLI_MAX_BYTES R"(},"additionalProperties":false})",
     R"({"type":"object","properties":{"conversations":{"type":"array"},"coverage":{"type":"object"},"next":{"type":["integer","null"]}},"required":["conversations","next"]})",
     false, &run_list},
    {"get_conversation", "Read a conversation",
     "One conversation with its chats as text, oldest first. next is the offset to go on from. A text longer than "
     "textLimit is cut: textBytes says how long it is, and textNext is the textOffset to read on from, with offset as "
     "its ordinal and limit 1.",
     R"({"type":"object","properties":{"id":{"type":"string"},"offset":{"type":"integer","minimum":0,"default":0,"description":"chats to pass over"},)"
     R"("limit":{"type":"integer","minimum":1,"maximum":200,"default":50,"description":"chats at most"},)"
     R"("textLimit":{"type":"integer","minimum":1,"default":4000,"description":"bytes of each text"},)"
     R"("textOffset":{"type":"integer","minimum":0,"default":0,"description":"bytes of the first chat's text to pass over"},)" ALLI_MAX_BYTES
     R"(},"required":["id"],"additionalProperties":false})",
     R"({"type":"object","properties":{"conversation":{"type":"object"},"chats":{"type":"array","items":{"type":"object","properties":{"id":{"type":"string"},"ordinal":{"type":"integer"},)"
     R"("sender":{"type":"string"},"time":{"type":["string","null"]},"text":{"type":"string"},"textBytes":{"type":"integer"},"textNext":{"type":"integer"}}}},)"
     R"("next":{"type":["integer","null"]}},"required":["conversation","chats","next"]})",
     false, &run_get},
    {"status", "State of the mirror",
     "What is mirrored, how fresh it is, what waits, what is wrong and what to do about it.",
     R"({"type":"object","properties":{)" ALLI_MAX_BYTES R"(},"additionalProperties":false})", any_object, false,
     &run_status},
    {"rename_conversation", "Rename a conversation", "Sets the title of a conversation, through the running daemon.",
     R"({"type":"object","properties":{"id":{"type":"string"},"title":{"type":"string"}},"required":["id","title"],"additionalProperties":false})",
     outcome, true, &run_rename},
    {"rate_chat", "Rate a chat", "Rates one chat of a conversation, through the running daemon.",
     R"({"type":"object","properties":{"id":{"type":"string"},"chatId":{"type":"string"},"rating":{"type":"boolean","description":"true is good"},"suggestedAnswer":{"type":"string","description":"what the answer should have been"}},"required":["id","chatId","rating"],"additionalProperties":false})",
     outcome, true, &run_rate},
});

// A result that cannot be shortened is an error: the assistant would truncate or reject it.
Json run_within(const Context& context, const Row& row, const Json& schema, const Json& arguments)
{
    require_known(arguments, schema);
    const int most = read_number(arguments, "maxBytes", usual_answer, least_answer, longest_answer);
    Json result = row.run(context, arguments, room_in(most));
    const std::size_t size = size_of(result);
    if (size <= room_in(most)) return result;
    throw Error(Fault::usage, "ask for less, or with a larger maxBytes",
                "this answer would be {} bytes, and {} were asked for", size, most);
}

} // namespace

std::vector<McpTool> make_mcp_tools(const Context& context, bool allow_writes)
{
    std::vector<McpTool> tools;
    const Context calling = remembering(context); // a tool may call the daemon more than once
    for (const Row& row : table) {
        if (row.writes && !allow_writes) continue;
        McpTool tool{row.name, row.title, row.description, row.input, row.output, row.writes, {}};
        tool.run = [calling, &row, schema = Json::parse(row.input)](const Json& arguments) {
            return run_within(calling, row, schema, arguments);
        };
        tools.push_back(std::move(tool));
    }
    return tools;
}

} // namespace alli::daemon
