// SPDX-License-Identifier: Apache-2.0
#include "proxy/routes.hpp"

#include "proxy/access_log.hpp"
#include "proxy/cached.hpp"
#include "proxy/changes.hpp"
#include "proxy/highlight.hpp"
#include "proxy/meters.hpp"
#include "proxy/mirror.hpp"
#include "proxy/narrowed.hpp"
#include "proxy/outbox.hpp"
#include "proxy/page.hpp"
#include "proxy/reads.hpp"
#include "proxy/relay.hpp"
#include "proxy/request_id.hpp"
#include "proxy/route_map.hpp"
#include "proxy/scopes.hpp"
#include "proxy/search.hpp"
#include "proxy/sign_in.hpp"
#include "proxy/tokens.hpp"
#include "proxy/withhold.hpp"
#include "proxy/writes.hpp"

#include <algorithm>
#include <array>

namespace alli::proxy {
namespace {

constexpr Surface mirrored = Surface::contract_read, edit = Surface::webapi, ours = Surface::ours;
constexpr std::optional<Scope> metrics = Scope::metrics, read = Scope::read, write = Scope::write, admin = Scope::admin,
                               anybody = std::nullopt;

// Literal segments stand before {} ones that would match them too. Where alli/operation.hpp has an operation, method
// and path here are the contract's guess; those that count are the settings' (route_map.hpp). What is relayed needs
// read for GET and HEAD, else write (scopes.hpp).
constexpr auto table = std::to_array<Route>({
    {"GET", "/webapi/v2/conversations", "listConversations", &list_conversations, mirrored, read},
    {"GET", "/webapi/v2/conversations/daily_count", "dailyConversationCount", &count_daily, mirrored, read},
    {"GET", "/webapi/v2/conversations/{id}", "getConversation", &get_conversation, mirrored, read},
    {"GET", "/webapi/v2/conversations/{id}/chats", "listChats", &list_chats, mirrored, read},
    {"GET", "/webapi/v2/conversations/{id}/chats/{chat}", "getChat", &get_chat, mirrored, read},
    {"GET", "/webapi/v2/conversation_categories", "listCategories", &list_categories, mirrored, read},
    {"GET", "/webapi/v2/conversations/{id}/running", "isConversationRunning", &is_running, mirrored, read},

    {"POST", "/webapi/v2/conversations/bulk_update", "bulkUpdateConversations", &bulk_update, edit, write},
    {"PUT", "/webapi/v2/conversations/{id}", "updateConversation", &update_conversation, edit, write},
    {"PATCH", "/webapi/v2/conversations/{id}", "updateConversation", &update_conversation, edit, write},
    {"POST", "/webapi/v2/conversations/{id}", "updateConversation", &update_conversation, edit, write},
    {"DELETE", "/webapi/v2/conversations/{id}", "deleteConversation", &delete_conversation, edit, write},
    {"POST", "/webapi/v2/conversations/{id}/chats/{chat}/feedback", "rateChat", &rate_chat, edit, write},
    {"POST", "/webapi/v2/conversations/{id}/stop", "stopConversation", &stop_conversation, edit, write},
    {"PUT", "/webapi/v2/conversations/{id}/title", "setConversationTitle", &set_title, edit, write},
    {"PATCH", "/webapi/v2/conversations/{id}/title", "setConversationTitle", &set_title, edit, write},
    {"POST", "/webapi/v2/conversations/{id}/title", "setConversationTitle", &set_title, edit, write},

    {"GET", "/mirror/v1/status", "status", &mirror_status, ours, read},
    {"GET", "/mirror/v1/outbox", "outbox", &list_outbox, ours, read},
    {"GET", "/mirror/v1/outbox/{id}", "outboxEntry", &get_outbox_entry, ours, read},
    {"DELETE", "/mirror/v1/outbox/{id}", "discard", &discard_outbox_entry, ours, write},
    {"POST", "/mirror/v1/outbox/{id}/retry", "retry", &retry_outbox_entry, ours, write},
    {"POST", "/mirror/v1/sync", "sync", &mirror_sync, ours, write},
    {"POST", "/mirror/v1/maintenance", "maintain", &begin_maintenance, ours, admin},
    {"GET", "/mirror/v1/maintenance", "maintenance", &maintenance_state, ours, admin},
    {"GET", "/mirror/v1/search", "search", &mirror_search, ours, read},
    {"POST", "/mirror/v1/search", "search", &mirror_search_by_body, ours, read},
    {"POST", "/mirror/v1/highlight", "highlight", &highlight_texts, ours, read},
    {"GET", "/", "page", &serve_page, ours, read},
    {"GET", "/page/{file}", "asset", &serve_asset, ours, read},
    {"GET", "/mirror/v1/changes", "changes", &mirror_changes, ours, read},
    {"POST", "/mirror/v1/session", "makeLink", &make_link, ours, read},
    {"GET", "/mirror/v1/session", "enter", &enter, ours, anybody},
    {"DELETE", "/mirror/v1/session", "signOut", &sign_out, ours, read},
    {"GET", "/mirror/v1/principal", "principal", &show_principal, ours, read},
    {"GET", "/mirror/v1/tokens", "tokens", &list_tokens, ours, admin},
    {"POST", "/mirror/v1/tokens", "addToken", &add_token, ours, admin},
    {"DELETE", "/mirror/v1/tokens/{name}", "revokeToken", &revoke_token, ours, admin},
    {"GET", "/healthz", "live", &is_alive, ours, anybody},
    {"GET", "/readyz", "ready", &is_ready, ours, metrics},
    {"GET", "/metrics", "metrics", &mirror_metrics, ours, metrics},
});

constexpr std::string_view relayed_methods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

Response options_response(std::string allowed)
{
    Response response;
    response.status = 204;
    response.headers.push_back({"Allow", std::move(allowed)});
    return response;
}

// Neither a row of the table nor to be relayed.
Response nowhere(const Match& match)
{
    if (match.allow.empty()) return problem(ours, 404, "there is nothing at this path");
    Response response = problem(ours, 405, "this path does not take this method");
    response.headers.push_back({"Allow", match.allow + ", OPTIONS"});
    return response;
}

Task<> take_body(Request& rq, std::size_t limit)
{
    if (!rq.incoming) co_return;
    rq.body = co_await rq.incoming->whole(limit);
    rq.incoming = nullptr;
}

Task<Response> dispatch(const Context& cx, Request& rq, Surface& surface)
{
    const bool relayed = surface == Surface::webapi;
    if (relayed && may(rq, Scope::read))
        if (auto kept = answer_at_once(cx, rq)) co_return std::move(*kept);
    if (rq.target == "*") co_return options_response(std::string(relayed_methods));
    Match match = cx.routes.find(rq.method, rq.path());
    rq.route = match.route;
    if (const auto needed = find_needed_scope(match, rq.method, relayed)) require_scope(rq, *needed);
    if (auto refusal = refuse_narrowed(cx, rq, match)) co_return std::move(*refusal);
    if (relayed && names_purged(cx.needs, rq.path(), match)) co_return no_such_conversation();
    rq.ids = std::move(match.ids);
    if (match.route || !relayed) co_await take_body(rq, cx.options.limits.body_bytes);
    if (match.route) {
        surface = match.route->surface;
        co_return co_await match.route->handler(cx, rq);
    }
    const bool known = !match.allow.empty();
    if (rq.method == "OPTIONS" && (known || relayed))
        co_return options_response(known ? match.allow + ", OPTIONS" : std::string(relayed_methods));
    if (!relayed) co_return nowhere(match);
    co_return co_await relay_other(cx, rq);
}

} // namespace

std::string_view Request::path() const noexcept
{
    return split_target(target).path;
}
std::string_view Request::query() const noexcept
{
    return split_target(target).query;
}

const Part& Request::part() const noexcept
{
    static const Part whole;
    return principal ? principal->part : whole;
}

std::span<const Route> routes() noexcept
{
    return table;
}

Task<Response> answer(const Context& cx, Request& rq)
{
    const auto started = std::chrono::steady_clock::now();
    const bool relayable = surface_of(rq.path()) == Surface::webapi;
    Surface surface = surface_of(rq.path());
    const std::string_view given = rq.header("X-Request-Id");
    rq.request_id = is_request_id(given) ? std::string(given) : cx.request_ids.next();
    std::exception_ptr failure;
    Response response;
    try {
        response = co_await dispatch(cx, rq, surface);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure) response = answer_of(failure, surface);
    response.headers.push_back({"X-Request-Id", rq.request_id});
    const auto took = std::chrono::steady_clock::now() - started;
    cx.meters.count(rq.route, relayable, response, took);
    log_request(rq, response, failure, took);
    co_return response;
}

} // namespace alli::proxy
