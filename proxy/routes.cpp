// SPDX-License-Identifier: Apache-2.0
#include "proxy/routes.hpp"

#include "proxy/endpoints/changes.hpp"
#include "proxy/endpoints/cluster.hpp"
#include "proxy/endpoints/export.hpp"
#include "proxy/endpoints/highlight.hpp"
#include "proxy/endpoints/insights.hpp"
#include "proxy/endpoints/mirror.hpp"
#include "proxy/endpoints/outbox.hpp"
#include "proxy/endpoints/page.hpp"
#include "proxy/endpoints/search.hpp"
#include "proxy/endpoints/session_endpoints.hpp"
#include "proxy/endpoints/tokens.hpp"
#include "proxy/reads/reads.hpp"
#include "proxy/relay/relay.hpp"
#include "proxy/writes/writes.hpp"

#include <array>

namespace alli::proxy {
namespace {

using Op = OperationId;
constexpr ErrorFormat mirrored = ErrorFormat::contract_read, edit = ErrorFormat::webapi, ours = ErrorFormat::ours;
constexpr std::optional<Scope> metrics = Scope::metrics, read = Scope::read, write = Scope::write, admin = Scope::admin,
                               anybody = std::nullopt;
constexpr Narrowed refused = Narrowed::refused, in_view = Narrowed::in_view, by_id = Narrowed::by_id,
                   by_chat = Narrowed::by_chat, by_entry = Narrowed::by_entry;

// Literal segments stand before {} ones that would match them too. Where alli/operation.hpp has an operation, method
// and path here are the contract's guess; those of the settings count (route_map.hpp). A relayed request needs the
// scope read for GET and HEAD, else write (scopes.hpp).
constexpr auto table = std::to_array<Route>({
    {"GET", "/webapi/v2/conversations", Op::list_conversations, &list_conversations, mirrored, read, in_view},
    {"GET", "/webapi/v2/conversations/daily_count", Op::count_daily, &count_daily, mirrored, read, in_view},
    {"GET", "/webapi/v2/conversations/{id}", Op::get_conversation, &get_conversation, mirrored, read, by_id},
    {"GET", "/webapi/v2/conversations/{id}/chats", Op::list_chats, &list_chats, mirrored, read, by_id},
    {"GET", "/webapi/v2/conversations/{id}/chats/{chat}", Op::get_chat, &get_chat, mirrored, read, by_id},
    {"GET", "/webapi/v2/conversation_categories", Op::list_categories, &list_categories, mirrored, read, in_view},
    {"GET", "/webapi/v2/conversations/{id}/running", Op::is_running, &is_running, mirrored, read, by_id},

    {"POST", "/webapi/v2/conversations/bulk_update", Op::bulk_update, &bulk_update, edit, write, refused},
    {"PUT", "/webapi/v2/conversations/{id}", Op::update_conversation, &update_conversation, edit, write, by_id},
    {"PATCH", "/webapi/v2/conversations/{id}", Op::update_conversation, &update_conversation, edit, write, by_id},
    {"POST", "/webapi/v2/conversations/{id}", Op::update_conversation, &update_conversation, edit, write, by_id},
    {"DELETE", "/webapi/v2/conversations/{id}", Op::delete_conversation, &delete_conversation, edit, write, by_id},
    {"POST", "/webapi/v2/conversations/{id}/chats/{chat}/feedback", Op::rate_chat, &rate_chat, edit, write, by_chat},
    {"POST", "/webapi/v2/conversations/{id}/stop", Op::stop_conversation, &stop_conversation, edit, write, by_id},
    {"PUT", "/webapi/v2/conversations/{id}/title", Op::set_title, &set_title, edit, write, by_id},
    {"PATCH", "/webapi/v2/conversations/{id}/title", Op::set_title, &set_title, edit, write, by_id},
    {"POST", "/webapi/v2/conversations/{id}/title", Op::set_title, &set_title, edit, write, by_id},

    {"GET", "/mirror/v1/openapi.json", Op::describe, &serve_description, ours, metrics, in_view},
    {"GET", "/mirror/v1/status", Op::status, &mirror_status, ours, read, in_view},
    {"GET", "/mirror/v1/outbox", Op::outbox, &list_outbox, ours, read, in_view},
    {"GET", "/mirror/v1/outbox/{id}", Op::outbox_entry, &get_outbox_entry, ours, read, by_entry},
    {"DELETE", "/mirror/v1/outbox/{id}", Op::discard, &discard_outbox_entry, ours, write, by_entry},
    {"POST", "/mirror/v1/outbox/{id}/retry", Op::retry, &retry_outbox_entry, ours, write, by_entry},
    {"POST", "/mirror/v1/sync", Op::sync, &mirror_sync, ours, write, refused},
    {"POST", "/mirror/v1/maintenance", Op::maintain, &begin_maintenance, ours, admin, refused},
    {"GET", "/mirror/v1/maintenance", Op::maintenance, &maintenance_state, ours, admin, refused},
    {"POST", "/mirror/v1/cluster/step-down", Op::step_down, &step_down, ours, admin, refused},
    {"GET", "/mirror/v1/search", Op::search, &mirror_search, ours, read, in_view},
    {"POST", "/mirror/v1/search", Op::search, &mirror_search_by_body, ours, read, in_view},
    {"GET", "/mirror/v1/export", Op::export_found, &export_found, ours, read, in_view},
    {"GET", "/mirror/v1/insights", Op::insights, &mirror_insights, ours, read, in_view},
    {"POST", "/mirror/v1/ratings", Op::ratings, &mirror_ratings, ours, read, in_view},
    {"POST", "/mirror/v1/highlight", Op::highlight, &highlight_texts, ours, read, in_view},
    {"GET", "/", Op::page, &serve_page, ours, read, in_view},
    {"GET", "/page/{file}", Op::asset, &serve_asset, ours, read, in_view},
    {"GET", "/mirror/v1/changes", Op::changes, &mirror_changes, ours, read, in_view},
    {"POST", "/mirror/v1/session", Op::make_link, &make_link, ours, read, in_view},
    {"GET", "/mirror/v1/session", Op::enter, &enter, ours, anybody, in_view},
    {"DELETE", "/mirror/v1/session", Op::sign_out, &sign_out, ours, read, in_view},
    {"GET", "/mirror/v1/principal", Op::principal, &show_principal, ours, read, in_view},
    {"GET", "/mirror/v1/projects", Op::principal, &list_projects, ours, write, refused},
    {"GET", "/mirror/v1/tokens", Op::tokens, &list_tokens, ours, admin, refused},
    {"POST", "/mirror/v1/tokens", Op::add_token, &add_token, ours, admin, refused},
    {"DELETE", "/mirror/v1/tokens/{name}", Op::revoke_token, &revoke_token, ours, admin, refused},
    {"GET", "/healthz", Op::live, &is_alive, ours, anybody, in_view},
    {"GET", "/readyz", Op::ready, &is_ready, ours, metrics, in_view},
    {"GET", "/metrics", Op::metrics, &mirror_metrics, ours, metrics, refused},
});

} // namespace

std::span<const Route> routes() noexcept
{
    return table;
}

} // namespace alli::proxy
