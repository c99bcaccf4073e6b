// SPDX-License-Identifier: Apache-2.0
#include "cache/search/search_json.hpp"

#include <nlohmann/json.hpp>

namespace alli::cache {
namespace {

using Json = nlohmann::ordered_json;

Json time_or_null(const std::optional<Instant>& when)
{
    return when ? Json(to_rfc3339(*when)) : Json(nullptr);
}

Json context_json(const std::vector<ContextChat>& chats)
{
    Json list = Json::array();
    for (const ContextChat& chat : chats) {
        Json item;
        item["chatId"] = chat.id;
        item["sender"] = chat.sender;
        item["timestamp"] = time_or_null(chat.sent_at);
        item["text"] = chat.text;
        list.push_back(std::move(item));
    }
    return list;
}

Json rating_json(const std::optional<bool>& rating)
{
    return rating ? Json(*rating) : Json(nullptr);
}

Json hit_json(const SearchHit& hit, const SearchQuery& query)
{
    Json item;
    item["conversationId"] = hit.conversation_id;
    item["chatId"] = hit.chat_id ? Json(*hit.chat_id) : Json(nullptr);
    item["title"] = hit.title;
    item["sender"] = hit.sender;
    item["timestamp"] = time_or_null(hit.sent_at);
    item["rating"] = rating_json(hit.rating);
    item["agentRating"] = rating_json(hit.agent_rating);
    item["snippet"] = hit.snippet;
    item["user"] = hit.user;
    item["score"] = hit.score;
    if (query.context > 0) {
        item["context"]["before"] = context_json(hit.before);
        item["context"]["after"] = context_json(hit.after);
    }
    if (query.grouped) item["matchesInConversation"] = hit.in_conversation;
    return item;
}

} // namespace

Json unknown_json(const UnknownFilter& unknown)
{
    Json item;
    item["filter"] = unknown.name;
    item["value"] = unknown.value;
    item["valid"] = unknown.valid;
    item["asWords"] = unknown.as_words;
    return item;
}

std::string search_json(const SearchQuery& query, const SearchResult& result, const Covered& covered)
{
    Json body;
    body["query"] = query.text;
    body["results"] = Json::array();
    for (const SearchHit& hit : result.hits) body["results"].push_back(hit_json(hit, query));
    body["total"] = result.total;
    if (!result.total_exact) body["totalExact"] = false;
    if (result.conversations) body["conversations"] = *result.conversations;
    for (const UnknownFilter& unknown : result.unknown_filters) body["unknownFilters"].push_back(unknown_json(unknown));
    body["next"] = result.next ? Json(*result.next) : Json(nullptr);
    // What is mirrored but not indexed yet is not covered by an answer.
    const IndexReach& reach = result.reach;
    body["coverage"]["complete"] = covered.complete && reach.complete;
    body["coverage"]["from"] = time_or_null(reach.complete ? covered.from
                                            : reach.from   ? std::max(covered.from, reach.from)
                                                           : std::nullopt);
    body["coverage"]["through"] = time_or_null(covered.through);
    body["tz"] = query.zone.name(); // of the days in the query
    body["index"]["complete"] = reach.complete;
    body["index"]["from"] = time_or_null(reach.from);
    // A query may hold anything; what is no UTF-8 in it comes back replaced.
    return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace alli::cache
