// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/insights.hpp"

#include "alli/relative_time.hpp"
#include "cache/insights/insights_json.hpp"
#include "cache/insights/rating_counts.hpp"
#include "proxy/endpoints/parameter_values.hpp"
#include "proxy/endpoints/search_body.hpp"
#include "proxy/reads/run_barrier.hpp"
#include "proxy/request/view.hpp"

#include <nlohmann/json.hpp>

namespace alli::proxy {
namespace {

using nlohmann::json;

std::optional<Instant> read_bound(const Context& cx, const Parameters& parameters, std::string_view name,
                                  const Zone& zone)
{
    const std::string text = find_parameter(parameters, name).value_or("");
    if (text.empty()) return std::nullopt;
    // A day's first moment, for either bound: `from` is included and `to` is not.
    const auto when = read_before(absolute_time(text, zone, cx.clock.now()), zone);
    if (!when)
        throw Error(Fault::usage, "write it as 2026-01-31, as 2026-01-31T09:30:00Z, or as yesterday, 7d or 24h",
                    "{} is no date", name);
    return when;
}

cache::InsightQuery read_insight_query(const Context& cx, const Parameters& parameters)
{
    cache::InsightQuery query;
    query.zone = read_zone(parameters, cx.options.zone);
    query.from = read_bound(cx, parameters, "from", query.zone);
    query.to = read_bound(cx, parameters, "to", query.zone);
    if (query.from && query.to && *query.from > *query.to)
        throw Error(Fault::usage, "the day of to does not count itself", "from is later than to");
    if (const auto by = find_parameter(parameters, "by")) {
        query.by = cache::find_insight_group(*by);
        if (!query.by) throw Error(Fault::usage, "", "by must be day, app, category, user or channel");
    }
    query.apps = read_all(parameters, "app");
    query.users = read_all(parameters, "user");
    query.categories = read_all(parameters, "category");
    return query;
}

[[noreturn]] void refuse()
{
    throw Error(Fault::usage, R"({"conversations": ["..."]})", "conversations must be a list of at most 200 ids");
}

std::vector<ConversationId> read_ids(std::string body)
{
    constexpr std::size_t most = 200;
    const json asked = json::parse(body, nullptr, false);
    const auto list = asked.is_object() ? asked.find("conversations") : asked.end();
    if (!asked.is_object() || list == asked.end() || !list->is_array() || list->size() > most) refuse();
    std::vector<ConversationId> ids;
    for (const json& id : *list) {
        if (!id.is_string()) refuse();
        ids.push_back({id.get<std::string>()});
    }
    return ids;
}

std::string ratings_json(const std::vector<cache::RatingCounts>& counts)
{
    json body;
    body["ratings"] = json::array();
    for (const cache::RatingCounts& one : counts) {
        json item;
        item["conversationId"] = one.id.value;
        item["good"] = one.good;
        item["bad"] = one.bad;
        body["ratings"].push_back(std::move(item));
    }
    return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

} // namespace

Task<Response> mirror_insights(const Context& cx, const Request& rq)
{
    require_accepted_key(cx);
    cache::InsightQuery query = read_insight_query(cx, read_query(rq.query()));
    query.visible = view_of(rq);
    const bool current = co_await shows_all_ends(cx, true);
    const auto job = [&query, current](cache::Reader& db) {
        cache::Covered covered = cache::load_covered(db);
        covered.complete = covered.complete && current;
        return cache::insights_json(query, cache::count_insights(db, query), covered);
    };
    std::string body = co_await cx.store.read_long(job, "insights");
    co_return text_response("application/json", std::move(body));
}

Task<Response> mirror_ratings(const Context& cx, const Request& rq)
{
    require_accepted_key(cx);
    if (!is_json_type(rq.header("Content-Type"))) throw Refused({415, "the body must be of type application/json"});
    const std::vector<ConversationId> ids = read_ids(rq.body);
    const cache::Visibility seen = view_of(rq);
    const auto job = [&](cache::Reader& db) {
        std::vector<ConversationId> visible;
        for (const ConversationId& id : ids)
            if (seen.is_whole() || cache::is_visible(db, id, seen)) visible.push_back(id);
        return ratings_json(cache::count_ratings(db, visible));
    };
    std::string body = cx.store.read(job);
    co_return text_response("application/json", std::move(body));
}

} // namespace alli::proxy
