// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/export.hpp"

#include "cache/rows/coverage.hpp"
#include "cache/search/filters.hpp"
#include "cache/search/reach.hpp"
#include "cache/search/search.hpp"
#include "proxy/endpoints/export_stream.hpp"
#include "proxy/endpoints/parameter_values.hpp"
#include "proxy/reads/run_barrier.hpp"
#include "proxy/request/view.hpp"

#include <algorithm>
#include <array>

namespace alli::proxy {
namespace {

constexpr std::array<std::string_view, 3> endings{"jsonl", "csv", "markdown"};

const cache::ExportFormat& read_format(const Parameters& parameters)
{
    const auto* format = cache::find_export_format(find_parameter(parameters, "format").value_or("jsonl"));
    if (format == nullptr) throw Error(Fault::usage, "", "format must be {}", fmt::join(endings, ", "));
    return *format;
}

bool read_flag(const Parameters& parameters, std::string_view name, bool fallback)
{
    const std::string said = find_parameter(parameters, name).value_or(fallback ? "true" : "false");
    if (said != "true" && said != "false") throw Error(Fault::usage, "", "{} must be true or false", name);
    return said == "true";
}

bool read_bom(const Parameters& parameters, const cache::ExportFormat& format)
{
    const bool bom = read_flag(parameters, "bom", format.takes_bom);
    if (bom && !format.takes_bom)
        throw Error(Fault::usage, "it is for format=csv", "{} has no byte order mark", format.name);
    return bom;
}

std::optional<cache::SearchQuery> read_query_of(const Context& cx, const Parameters& parameters, const Zone& zone)
{
    std::string text = find_parameter(parameters, "q").value_or("");
    if (text.empty()) return std::nullopt;
    cache::SearchQuery query;
    query.text = std::move(text);
    query.zone = zone;
    query.now = cx.clock.now();
    return query;
}

// The names of filters whose value can be none, or that no conversation bears: a file has no place for it.
std::string unknown_filters(cache::Reader& db, cache::SearchQuery query, const cache::Visibility& seen)
{
    query.visible = seen;
    const cache::Filters filters = cache::parse_query(query).filters;
    std::vector<std::string> names;
    for (const auto& unknown : {filters.unknown, cache::find_unknown_names(db, filters)})
        for (const cache::UnknownFilter& one : unknown)
            if (std::find(names.begin(), names.end(), one.name) == names.end()) names.push_back(one.name);
    return fmt::format("{}", fmt::join(names, ", "));
}

// What is not indexed yet is not found.
bool can_be_whole(cache::Reader& db, const std::optional<cache::SearchQuery>& query)
{
    return cache::load_covered(db).complete && (!query || cache::reaches_all(db, cache::parse_query(*query)));
}

std::string file_name(const Context& cx, const Zone& zone, const cache::ExportFormat& format)
{
    const std::string today = to_rfc3339(cx.clock.now(), zone).substr(0, 10);
    const std::string_view ending = format.name == "markdown" ? "md" : format.name;
    return fmt::format("alli-conversations-{}.{}", today, ending);
}

} // namespace

Task<Response> export_found(const Context& cx, const Request& rq)
{
    require_accepted_key(cx);
    const Parameters parameters = read_query(rq.query());
    const cache::ExportFormat& format = read_format(parameters);
    const bool bom = read_bom(parameters, format);
    const Zone zone = read_zone(parameters, cx.options.zone);
    const bool current = co_await shows_all_ends(cx, true);
    const std::optional<cache::SearchQuery> asked = read_query_of(cx, parameters, zone);
    const bool complete = current && cx.store.read([&](cache::Reader& db) { return can_be_whole(db, asked); });

    Response response = text_response(format.media_type, Body());
    response.headers.add("Content-Disposition",
                         fmt::format("attachment; filename=\"{}\"", file_name(cx, zone, format)));
    response.headers.add("Alli-Mirror-Complete", complete ? "true" : "false");
    const cache::Visibility seen = view_of(rq);
    std::optional<cache::SearchQuery> query = asked;
    if (query) {
        const auto job = [&](cache::Reader& db) { return unknown_filters(db, *query, seen); };
        const std::string unknown = co_await cx.store.read_long(job);
        if (!unknown.empty()) response.headers.add("Alli-Mirror-Unknown-Filters", unknown);
    }
    const cache::ExportStyle style{zone, read_flag(parameters, "mask", false)};
    ExportStream::What what{format, style, bom};
    cache::ExportList list(std::move(query), seen);
    response.stream =
        std::make_unique<ExportStream>(cx.store, cx.clock, std::move(what), std::move(list), rq.grant, seen);
    co_return response;
}

} // namespace alli::proxy
