// SPDX-License-Identifier: Apache-2.0
#include "daemon/mcp_tools.hpp"

#include "alli/error.hpp"
#include "cache/search_json.hpp"
#include "cache/store.hpp"
#include "cache/summaries.hpp"
#include "daemon/daemon_call.hpp"
#include "daemon/places.hpp"
#include "daemon/status.hpp"

#include <cmath>
#include <limits>

namespace alli::daemon {
namespace {

constexpr int page_size = 50;

// ---- arguments

[[noreturn]] void refuse(const char* name, std::string_view what)
{
    throw Error(Fault::usage, "", "{} must be {}", name, what);
}

std::string read_text(const Json& arguments, const char* name)
{
    const auto found = arguments.find(name);
    if (found == arguments.end()) return "";
    if (!found->is_string()) refuse(name, "a string");
    return found->get<std::string>();
}

std::string require_text(const Json& arguments, const char* name)
{
    std::string text = read_text(arguments, name);
    if (text.empty()) refuse(name, "given");
    return text;
}

int read_number(const Json& arguments, const char* name, int fallback, int low, int high)
{
    const auto found = arguments.find(name);
    if (found == arguments.end()) return fallback;
    const double number = found->is_number() ? found->get<double>() : std::numeric_limits<double>::quiet_NaN();
    if (!(number >= low && number <= high) || number != std::floor(number))
        refuse(name, fmt::format("a whole number from {} to {}", low, high));
    return static_cast<int>(number);
}

std::optional<std::string> read_optional(const Json& arguments, const char* name)
{
    std::string text = read_text(arguments, name);
    return text.empty() ? std::nullopt : std::optional(std::move(text));
}

std::optional<Instant> read_time(const Json& arguments, const char* name)
{
    const std::string text = read_text(arguments, name);
    if (text.empty()) return std::nullopt;
    const auto when = from_rfc3339(text);
    if (!when) refuse(name, "a time like 2026-01-31 or 2026-01-31T09:30:00Z");
    return when;
}

// ---- reads

std::unique_ptr<cache::Reader> open_here(const Context& context)
{
    return cache::open_mirror(find_read_place(context.settings(), context.environment).mirror_path);
}

Json run_search(const Context& context, const Json& arguments)
{
    cache::SearchQuery query;
    query.text = require_text(arguments, "query");
    query.limit = read_number(arguments, "limit", 20, 1, 100);
    query.user = read_optional(arguments, "user");
    query.app = read_optional(arguments, "app");
    query.category = read_optional(arguments, "category");
    query.sender = read_optional(arguments, "sender");
    query.after = read_time(arguments, "after");
    query.before = read_time(arguments, "before");
    query.cursor = read_optional(arguments, "cursor");
    const std::string sort = read_text(arguments, "sort");
    if (!sort.empty() && sort != "newest" && sort != "relevance") refuse("sort", "newest or relevance");
    if (sort == "relevance") query.sort = cache::SearchSort::relevance;
    const auto db = open_here(context);
    return Json::parse(cache::search_json(query, cache::search(*db, query), cache::load_covered(*db)));
}

Json run_list(const Context& context, const Json& arguments)
{
    const int limit = read_number(arguments, "limit", 20, 1, 200);
    const int offset = read_number(arguments, "offset", 0, 0, 1'000'000);
    const auto db = open_here(context);
    Json result;
    result["conversations"] = Json::array();
    const std::vector<cache::Summary> summaries = cache::list_summaries(*db, limit, offset);
    for (const cache::Summary& summary : summaries) result["conversations"].push_back(summary_json(summary));
    result["whole"] = cache::is_whole(*db, summaries, limit);
    result["coverage"] = make_coverage(*db);
    return result;
}

Json run_get(const Context& context, const Json& arguments)
{
    const ConversationId id{require_text(arguments, "id")};
    const int page = read_number(arguments, "page", 1, 1, 1'000'000);
    const auto db = open_here(context);
    const auto summary = cache::find_summary(*db, id);
    if (!summary)
        throw Error(Fault::refused, "search or list_conversations tell what there is",
                    "the mirror holds no such conversation");
    Json result;
    result["conversation"] = summary_json(*summary);
    result["chats"] = Json::array();
    for (const cache::ReadableChat& chat : cache::read_chats(*db, id, (page - 1) * page_size, page_size)) {
        Json json;
        json["id"] = chat.id;
        json["sender"] = chat.sender;
        json["time"] = time_json(chat.sent_at);
        json["text"] = chat.text;
        result["chats"].push_back(std::move(json));
    }
    result["page"] = page;
    result["pages"] = std::max<std::int64_t>((summary->chats + page_size - 1) / page_size, 1);
    return result;
}

Json run_status(const Context& context, const Json&)
{
    return load_status(context);
}

// ---- writes

std::string in_path(std::string_view text)
{
    std::string safe;
    for (const char c : text)
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_')
            safe += c;
        else
            fmt::format_to(std::back_inserter(safe), "%{:02X}", static_cast<unsigned char>(c));
    return safe;
}

Json send_write(const Context& context, const std::string& method, const std::string& target, const Json& body)
{
    const DaemonRequest request{method, "/webapi/v2/conversations/" + target, dump(body)};
    const DaemonAnswer answer = call_daemon(context, request);
    if (answer.status < 200 || answer.status > 299) throw refused_by_daemon(answer);
    Json result;
    result["outcome"] =
        answer.status == 202 ? "queued" : "delivered"; // queued: it goes upstream as soon as that is there
    return result;
}

Json run_rename(const Context& context, const Json& arguments)
{
    Json body;
    body["title"] = require_text(arguments, "title");
    return send_write(context, "PUT", in_path(require_text(arguments, "id")) + "/title", body);
}

Json run_rate(const Context& context, const Json& arguments)
{
    const auto rating = arguments.find("rating");
    if (rating == arguments.end() || !rating->is_boolean()) refuse("rating", "true (good) or false (bad)");
    Json body;
    body["rating"] = *rating;
    if (const auto better = read_optional(arguments, "suggestedAnswer")) body["suggestedAnswer"] = *better;
    return send_write(context, "POST",
                      in_path(require_text(arguments, "id")) + "/chats/" + in_path(require_text(arguments, "chatId")) +
                          "/feedback",
                      body);
}

// ---- the table

struct Row {
    std::string_view name, title, description, input, output;
    bool writes;
    Json (*run)(const Context&, const Json&);
};

constexpr std::string_view any_object = R"({"type":"object"})";
constexpr std::string_view outcome =
    R"({"type":"object","properties":{"outcome":{"type":"string","enum":["queued","delivered"]}},"required":["outcome"]})";

constexpr auto table = std::to_array<Row>({
    {"search", "Search messages",
     "Full-text search over all mirrored messages, titles and user names, in any script. Words (all must match), "
     "\"phrases\", OR, -not, prefix*. Snippets are HTML-escaped with <mark> around hits. coverage says how far the "
     "mirror is complete.",
     R"({"type":"object","properties":{"query":{"type":"string"},"limit":{"type":"integer","minimum":1,"maximum":100,"default":20},)"
     R"("sort":{"type":"string","enum":["newest","relevance"]},"user":{"type":"string"},"app":{"type":"string"},"category":{"type":"string"},)"
     R"("sender":{"type":"string"},"after":{"type":"string","description":"RFC 3339 time or date"},"before":{"type":"string","description":"RFC 3339 time or date"},)"
     R"("cursor":{"type":"string","description":"next of the page before"}},"required":["query"],"additionalProperties":false})",
     R"({"type":"object","properties":{"results":{"type":"array"},"total":{"type":"integer"},"next":{"type":["string","null"]},"coverage":{"type":"object"}},"required":["results","total"]})",
     false, &run_search},
    {"list_conversations", "List conversations", "The mirrored conversations, newest chat first.",
     R"({"type":"object","properties":{"limit":{"type":"integer","minimum":1,"maximum":200,"default":20},"offset":{"type":"integer","minimum":0,"default":0}},"additionalProperties":false})",
     R"({"type":"object","properties":{"conversations":{"type":"array"},"coverage":{"type":"object"}},"required":["conversations"]})",
     false, &run_list},
    {"get_conversation", "Read a conversation", "One conversation with its chats as text, oldest first, 50 a page.",
     R"({"type":"object","properties":{"id":{"type":"string"},"page":{"type":"integer","minimum":1,"default":1}},"required":["id"],"additionalProperties":false})",
     R"({"type":"object","properties":{"conversation":{"type":"object"},"chats":{"type":"array"},"page":{"type":"integer"},"pages":{"type":"integer"}},"required":["conversation","chats","page","pages"]})",
     false, &run_get},
    {"status", "State of the mirror",
     "What is mirrored, how fresh it is, what waits, what is wrong and what to do about it.",
     R"({"type":"object","properties":{},"additionalProperties":false})", any_object, false, &run_status},
    {"rename_conversation", "Rename a conversation", "Sets the title of a conversation, through the running daemon.",
     R"({"type":"object","properties":{"id":{"type":"string"},"title":{"type":"string"}},"required":["id","title"],"additionalProperties":false})",
     outcome, true, &run_rename},
    {"rate_chat", "Rate a chat", "Rates one chat of a conversation, through the running daemon.",
     R"({"type":"object","properties":{"id":{"type":"string"},"chatId":{"type":"string"},"rating":{"type":"boolean","description":"true is good"},"suggestedAnswer":{"type":"string","description":"what the answer should have been"}},"required":["id","chatId","rating"],"additionalProperties":false})",
     outcome, true, &run_rate},
});

} // namespace

std::vector<McpTool> make_mcp_tools(const Context& context, bool allow_writes)
{
    std::vector<McpTool> tools;
    for (const Row& row : table) {
        if (row.writes && !allow_writes) continue;
        McpTool tool{row.name, row.title, row.description, row.input, row.output, row.writes, {}};
        tool.run = [&context, run = row.run](const Json& arguments) { return run(context, arguments); };
        tools.push_back(std::move(tool));
    }
    return tools;
}

} // namespace alli::daemon
