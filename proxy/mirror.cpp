// SPDX-License-Identifier: Apache-2.0
#include "proxy/mirror.hpp"

#include "cache/progress.hpp"
#include "cache/search.hpp"
#include "proxy/cached.hpp"
#include "proxy/list_query.hpp"

#include <nlohmann/json.hpp>

namespace alli::proxy {
namespace {

using nlohmann::json;

json time_or_null(const std::optional<Instant>& when)
{
    return when ? json(to_rfc3339(*when)) : json(nullptr);
}

json hit_json(const cache::SearchHit& hit)
{
    json item;
    item["conversationId"] = hit.conversation_id;
    item["chatId"] = hit.chat_id ? json(*hit.chat_id) : json(nullptr);
    item["title"] = hit.title;
    item["sender"] = hit.sender;
    item["timestamp"] = time_or_null(hit.sent_at);
    item["snippet"] = hit.snippet;
    item["user"] = hit.user;
    item["score"] = hit.score;
    return item;
}

std::string search_json(const cache::SearchQuery& query, const cache::SearchResult& result, const Covered& covered)
{
    json body;
    body["query"] = query.text;
    body["results"] = json::array();
    for (const cache::SearchHit& hit : result.hits) body["results"].push_back(hit_json(hit));
    body["total"] = result.total;
    if (!result.total_exact) body["totalExact"] = false;
    body["next"] = nullptr;
    body["coverage"]["complete"] = covered.complete;
    body["coverage"]["from"] = time_or_null(covered.from);
    body["coverage"]["through"] = time_or_null(covered.through);
    return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

cache::SearchQuery read_search_query(const Parameters& parameters)
{
    cache::SearchQuery query;
    query.text = find_parameter(parameters, "q").value_or("");
    query.limit = read_number(parameters, "limit", 20, 1, 1000);
    const std::string sort = find_parameter(parameters, "sort").value_or("newest");
    if (sort != "newest" && sort != "relevance") throw Error(Fault::usage, "", "sort must be newest or relevance");
    if (sort == "relevance") query.sort = cache::SearchSort::relevance;
    return query;
}

} // namespace

Task<Response> mirror_status(const Context& cx, const Request&)
{
    co_return text_response("application/json", cx.needs.status());
}

Task<Response> mirror_search(const Context& cx, const Request& rq)
{
    require_accepted_key(cx);
    const cache::SearchQuery query = read_search_query(read_query(rq.query()));
    const auto job = [&query](cache::Reader& db) {
        return search_json(query, cache::search(db, query), load_covered(db));
    };
    std::string body = co_await cx.needs.store.read_long(job);
    co_return text_response("application/json", std::move(body));
}

Task<Response> is_alive(const Context&, const Request&)
{
    co_return text_response("text/plain; charset=utf-8", std::string("ok\n"));
}

Task<Response> is_ready(const Context& cx, const Request&)
{
    cx.needs.store.read([](cache::Reader& db) { return cache::load_progress(db).backfill_done; });
    co_return text_response("text/plain; charset=utf-8", std::string("ready\n"));
}

} // namespace alli::proxy
