// SPDX-License-Identifier: Apache-2.0
#include "cache/insights/insights_json.hpp"

#include "cache/search/search_json.hpp"

#include <nlohmann/json.hpp>

namespace alli::cache {
namespace {

using Json = nlohmann::ordered_json;

Json time_or_null(const std::optional<Instant>& when)
{
    return when ? Json(to_rfc3339(*when)) : Json(nullptr);
}

Json number_or_null(const std::optional<double>& number)
{
    return number ? Json(*number) : Json(nullptr);
}

void add_figures(Json& json, const Figures& figures)
{
    json["conversations"] = figures.conversations;
    json["messages"] = figures.messages;
    json["good"] = figures.good;
    json["bad"] = figures.bad;
    json["unrated"] = figures.unrated;
    json["withoutCitations"] = figures.without_citations;
    json["medianLength"] = number_or_null(figures.median_length);
    json["medianAnswerSeconds"] = number_or_null(figures.median_answer_seconds);
}

Json row_json(const InsightRow& row)
{
    Json json;
    json["by"] = name_of(row.by);
    json["key"] = row.key;
    json["name"] = row.name.empty() ? row.key : row.name;
    add_figures(json, row.figures);
    return json;
}

} // namespace

std::string insights_json(const InsightQuery& query, const Insights& insights, const Covered& covered)
{
    Json body;
    body["from"] = time_or_null(query.from);
    body["to"] = time_or_null(query.to);
    body["tz"] = query.zone.name();
    body["coverage"]["complete"] = covered.complete && insights.complete;
    body["coverage"]["from"] = time_or_null(covered.from);
    body["coverage"]["through"] = time_or_null(covered.through);
    for (const UnknownFilter& one : insights.unknown_filters) body["unknownFilters"].push_back(unknown_json(one));
    body["totals"] = Json::object();
    add_figures(body["totals"], insights.totals);
    body["rows"] = Json::array();
    for (const InsightRow& row : insights.rows) body["rows"].push_back(row_json(row));
    body["words"] = Json::array();
    for (const InsightWord& word : insights.words) {
        Json json;
        json["word"] = word.word;
        json["bad"] = word.bad;
        json["all"] = word.all;
        body["words"].push_back(std::move(json));
    }
    body["wordsSampled"]["bad"] = insights.sampled_bad;
    body["wordsSampled"]["all"] = insights.sampled_all;
    return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace alli::cache
