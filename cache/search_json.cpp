// SPDX-License-Identifier: Apache-2.0
#include "cache/search_json.hpp"

#include <nlohmann/json.hpp>

namespace alli::cache {
namespace {

using Json = nlohmann::ordered_json;

Json time_or_null(const std::optional<Instant>& when)
{
    return when ? Json(to_rfc3339(*when)) : Json(nullptr);
}

Json hit_json(const SearchHit& hit)
{
    Json item;
    item["conversationId"] = hit.conversation_id;
    item["chatId"] = hit.chat_id ? Json(*hit.chat_id) : Json(nullptr);
    item["title"] = hit.title;
    item["sender"] = hit.sender;
    item["timestamp"] = time_or_null(hit.sent_at);
    item["snippet"] = hit.snippet;
    item["user"] = hit.user;
    item["score"] = hit.score;
    return item;
}

} // namespace

std::string search_json(const SearchQuery& query, const SearchResult& result, const Covered& covered)
{
    Json body;
    body["query"] = query.text;
    body["results"] = Json::array();
    for (const SearchHit& hit : result.hits) body["results"].push_back(hit_json(hit));
    body["total"] = result.total;
    if (!result.total_exact) body["totalExact"] = false;
    body["next"] = nullptr;
    body["coverage"]["complete"] = covered.complete;
    body["coverage"]["from"] = time_or_null(covered.from);
    body["coverage"]["through"] = time_or_null(covered.through);
    // A query may hold anything; what is no UTF-8 in it comes back replaced.
    return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace alli::cache
