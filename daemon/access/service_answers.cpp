// SPDX-License-Identifier: Apache-2.0
#include "alli/error.hpp"
#include "cache/insights/insights.hpp"
#include "daemon/access/service_reads.hpp"

namespace alli::daemon {
namespace {

std::optional<Instant> time_of(const Json& json)
{
    return json.is_string() ? from_rfc3339(json.get<std::string>()) : std::nullopt;
}

template <class Value>
std::optional<Value> value_of(const Json& json)
{
    return json.is_null() ? std::nullopt : std::optional(json.get<Value>());
}

cache::Covered covered_of(const Json& coverage)
{
    return {coverage.at("complete").get<bool>(), time_of(coverage.at("from")), time_of(coverage.at("through"))};
}

std::vector<cache::ContextChat> context_of(const Json& chats)
{
    std::vector<cache::ContextChat> all;
    for (const Json& chat : chats)
        all.push_back({chat.at("chatId"), chat.at("sender"), chat.at("text"), time_of(chat.at("timestamp"))});
    return all;
}

cache::SearchHit hit_of(const Json& item)
{
    cache::SearchHit hit;
    hit.conversation_id = item.at("conversationId");
    hit.chat_id = value_of<std::string>(item.at("chatId"));
    hit.title = item.at("title"), hit.sender = item.at("sender"), hit.user = item.at("user");
    hit.sent_at = time_of(item.at("timestamp"));
    hit.rating = value_of<bool>(item.at("rating"));
    hit.snippet = item.at("snippet");
    if (item.contains("context")) {
        hit.before = context_of(item.at("context").at("before"));
        hit.after = context_of(item.at("context").at("after"));
    }
    hit.in_conversation = item.value("matchesInConversation", 0);
    return hit;
}

cache::Figures figures_of(const Json& json)
{
    cache::Figures it;
    it.conversations = json.at("conversations"), it.messages = json.at("messages");
    it.good = json.at("good"), it.bad = json.at("bad"), it.unrated = json.at("unrated");
    it.without_citations = json.at("withoutCitations");
    it.median_length = value_of<double>(json.at("medianLength"));
    it.median_answer_seconds = value_of<double>(json.at("medianAnswerSeconds"));
    return it;
}

// An older daemon, or a newer one, may say less than is looked for.
template <class Read>
auto read_json(const std::string& body, Read read)
{
    try {
        return read(Json::parse(body));
    } catch (const Json::exception&) {
        throw Error(Fault::io, "restart the service: it may be of another version than this command",
                    "the daemon's answer cannot be read");
    }
}

std::vector<cache::UnknownFilter> unknown_filters_of(const Json& answer)
{
    std::vector<cache::UnknownFilter> unknown;
    if (answer.contains("unknownFilters"))
        for (const Json& one : answer.at("unknownFilters"))
            unknown.push_back({one.at("filter"), one.at("value"), one.at("valid").get<std::vector<std::string>>(),
                               one.at("asWords")});
    return unknown;
}

} // namespace

ServiceSearch read_search(const std::string& body)
{
    return read_json(body, [](const Json& json) {
        ServiceSearch search;
        cache::SearchResult& result = search.result;
        for (const Json& item : json.at("results")) result.hits.push_back(hit_of(item));
        result.total = json.at("total");
        result.total_exact = json.value("totalExact", true);
        result.next = value_of<std::string>(json.at("next"));
        result.unknown_filters = unknown_filters_of(json);
        search.covered = covered_of(json.at("coverage"));
        return search;
    });
}

ServiceInsights read_insights(const std::string& body)
{
    return read_json(body, [](const Json& json) {
        ServiceInsights read;
        cache::Insights& insights = read.insights;
        insights.totals = figures_of(json.at("totals"));
        for (const Json& row : json.at("rows"))
            if (const auto by = cache::find_insight_group(row.at("by").get<std::string>()))
                insights.rows.push_back({*by, row.at("key"), row.at("name"), figures_of(row)});
        for (const Json& word : json.at("words"))
            insights.words.push_back({word.at("word"), word.at("bad"), word.at("all")});
        insights.sampled_bad = json.at("wordsSampled").at("bad");
        insights.sampled_all = json.at("wordsSampled").at("all");
        insights.unknown_filters = unknown_filters_of(json);
        read.covered = covered_of(json.at("coverage"));
        return read;
    });
}

cache::Covered ask_coverage(const Context& context)
{
    return read_json(ask_service(context, "/mirror/v1/status"), [](const Json& json) {
        const Json& mirror = json.at("mirror");
        return cache::Covered{mirror.at("complete"), time_of(mirror.at("completeFrom")),
                              time_of(mirror.at("completeThrough"))};
    });
}

} // namespace alli::daemon
