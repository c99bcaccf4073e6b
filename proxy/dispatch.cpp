// SPDX-License-Identifier: Apache-2.0
#include "proxy/dispatch.hpp"

#include "proxy/access_log.hpp"
#include "proxy/narrowed.hpp"
#include "proxy/reads/read_through.hpp"
#include "proxy/relay/relay.hpp"
#include "proxy/relay/suppression_filter.hpp"
#include "proxy/request/cluster.hpp"
#include "proxy/request/own_parameters.hpp"
#include "proxy/request/request_id.hpp"
#include "proxy/request/request_metrics.hpp"
#include "proxy/request/scopes.hpp"
#include "proxy/route_map.hpp"

namespace alli::proxy {
namespace {

// Of what upstream does not know below a conversation: its ids are base64, in which a / is a digit.
constexpr std::string_view slash_hint = "an id that has a / in it goes into a path with %2F in its place";

constexpr std::string_view relayed_methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

Response options_response(std::string allowed)
{
    Response response;
    response.status = 204;
    response.headers.add("Allow", std::move(allowed));
    return response;
}

// Where an app most likely wanted to go.
std::string hint_for(std::string_view path)
{
    for (const std::string_view version : {"/v1/", "/v2/", "/apps/", "/conversations"})
        if (path.starts_with(version))
            return fmt::format("the service's API is below /webapi: /webapi{}", path.starts_with("/conversations")
                                                                                    ? "/v2/conversations..."
                                                                                    : std::string(version) + "...");
    if (path.starts_with("/mirror")) return "the mirror's own endpoints are in /mirror/v1/openapi.json";
    return "the service's API is below /webapi, the mirror's own below /mirror/v1, the page at /";
}

// Neither a row of the table nor to be relayed.
Response nowhere(const Match& match, std::string_view path)
{
    if (match.allow.empty()) return problem(ErrorFormat::ours, 404, "there is nothing at this path", hint_for(path));
    Response response = problem(ErrorFormat::ours, 405, "this path does not take this method");
    response.headers.add("Allow", match.allow + ", OPTIONS");
    return response;
}

Task<> take_body(Request& rq, std::size_t limit)
{
    if (!rq.incoming) co_return;
    rq.body = co_await rq.incoming->whole(limit);
    rq.incoming = nullptr;
}

Task<Response> dispatch(const Context& cx, Request& rq, ErrorFormat& error_format)
{
    const bool relayable = error_format == ErrorFormat::webapi;
    if (relayable && may(rq, Scope::read))
        if (auto cached = serve_cached(cx, rq)) co_return std::move(*cached);
    if (rq.target == "*") co_return options_response(std::string(relayed_methods));
    Match match = cx.routes.find(rq.method, rq.path());
    if (match.route) rq.operation = match.route->operation;
    rq.conversation = match.conversation;
    const auto needed = find_needed_scope(match, rq.method, relayable);
    if (needed && !is_group_maintenance(rq)) require_scope(rq, *needed);
    if (auto refusal = refuse_narrowed(cx, rq, match)) co_return std::move(*refusal);
    if (is_suppressed(cx.store, rq.conversation)) // however the path is spelt: %77ebapi is webapi
        co_return no_such_conversation();
    rq.ids = std::move(match.ids);
    if (match.route || !relayable) co_await take_body(rq, cx.options.limits.body_bytes);
    if (match.route) {
        error_format = match.route->error_format;
        require_own_parameters(rq.operation, rq.query(), cx.options.ignored_parameters);
        co_return co_await match.route->handler(cx, rq);
    }
    const bool known = !match.allow.empty();
    if (rq.method == "OPTIONS" && (known || relayable))
        co_return options_response(known ? match.allow + ", OPTIONS" : std::string(relayed_methods));
    if (!relayable) co_return nowhere(match, rq.path());
    Response response = co_await relay_other(cx, rq);
    if (response.status == 404 && rq.conversation) response.headers.add("Alli-Mirror-Hint", std::string(slash_hint));
    co_return response;
}

// Where nothing else is said already.
void say_behind(Response& response)
{
    if (!response.cache) response.cache.emplace();
    if (response.cache->detail.empty() && !response.shared_head) response.cache->detail = "behind";
}

} // namespace

Task<Response> answer(const Context& cx, Request& rq)
{
    const auto started = std::chrono::steady_clock::now();
    ErrorFormat error_format = error_format_of(rq.path());
    rq.operation = error_format == ErrorFormat::webapi ? OperationId::relay : OperationId::unknown;
    const std::string_view given = rq.header("X-Request-Id");
    rq.request_id = is_request_id(given) ? std::string(given) : cx.request_ids.next();
    std::exception_ptr failure;
    Response response;
    std::optional<std::int64_t> position;
    try {
        position = co_await wait_for_position(cx, rq);
        response = co_await dispatch(cx, rq, error_format);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) response = answer_of(failure, error_format);
    if (rq.is_behind) say_behind(response);
    if (position) response.headers.add("Mirror-Position", std::to_string(heard_of_by(cx, *position)));
    if (response.cache && !response.shared_head) response.headers.add("Cache-Status", to_text(*response.cache));
    if (response.status != 304) response.headers.add("X-Request-Id", rq.request_id);
    const auto took = std::chrono::steady_clock::now() - started;
    cx.meters.count(rq.operation, response, took);
    log_request(rq, response, failure, took);
    co_return response;
}

} // namespace alli::proxy
