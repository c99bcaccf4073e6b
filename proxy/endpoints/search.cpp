// SPDX-License-Identifier: Apache-2.0
#include "proxy/endpoints/search.hpp"

#include "cache/rows/progress.hpp"
#include "cache/search/search_json.hpp"
#include "proxy/access/http.hpp"
#include "proxy/endpoints/parameter_values.hpp"
#include "proxy/endpoints/search_body.hpp"
#include "proxy/reads/run_barrier.hpp"
#include "proxy/request/own_parameters.hpp"
#include "proxy/request/view.hpp"

namespace alli::proxy {
namespace {

constexpr std::size_t longest_body = 64 * 1024;

// What only breaks caches breaks nothing here, and may be a misspelt name.
cache::SearchQuery read_search_query(const Parameters& parameters, const Zone& usual)
{
    require_own_parameters(OperationId::search, parameters);
    cache::SearchQuery query;
    query.text = find_parameter(parameters, "q").value_or("");
    query.zone = read_zone(parameters, usual);
    query.limit = read_number(parameters, "limit", 20, 1, 1000);
    query.context = read_number(parameters, "context", 0, 0, 20);
    query.cursor = find_parameter(parameters, "cursor");
    const std::string group = find_parameter(parameters, "group").value_or("");
    if (!group.empty() && group != "conversation") throw Error(Fault::usage, "", "group must be conversation");
    query.grouped = !group.empty();
    const std::string sort = find_parameter(parameters, "sort").value_or("newest");
    if (sort != "newest" && sort != "relevance") throw Error(Fault::usage, "", "sort must be newest or relevance");
    if (sort == "relevance") query.sort = cache::SearchSort::relevance;
    return query;
}

Task<Response> answer_search(const Context& cx, cache::SearchQuery query)
{
    const bool current = co_await shows_all_ends(cx, true);
    const auto job = [&query, current](cache::Reader& db) {
        auto covered = cache::load_covered(db);
        covered.complete = covered.complete && current;
        return cache::search_json(query, cache::search(db, query), covered);
    };
    std::string body = co_await cx.store.read_long(job);
    co_return text_response("application/json", std::move(body));
}

} // namespace

Task<Response> mirror_search(const Context& cx, const Request& rq)
{
    require_accepted_key(cx);
    cache::SearchQuery query = read_search_query(read_query(rq.query()), cx.options.zone);
    query.now = cx.clock.now();
    query.visible = view_of(rq);
    co_return co_await answer_search(cx, std::move(query));
}

// Another site's form cannot send this type without a preflight.
Task<Response> mirror_search_by_body(const Context& cx, const Request& rq)
{
    require_accepted_key(cx);
    if (!is_json_type(rq.header("Content-Type"))) throw Refused({415, "the body must be of type application/json"});
    if (rq.body.size() > longest_body) throw Refused({413, "the body of a search is too long"});
    if (!rq.query().empty())
        throw Error(Fault::usage, "put them into the JSON object", "a search by POST takes its parameters in the body");
    cache::SearchQuery query = read_search_query(read_search_body(rq.body), cx.options.zone);
    query.now = cx.clock.now();
    query.visible = view_of(rq);
    co_return co_await answer_search(cx, std::move(query));
}

} // namespace alli::proxy
