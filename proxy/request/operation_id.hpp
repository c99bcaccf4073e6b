// SPDX-License-Identifier: Apache-2.0
// The operation that a request is for, known once it was routed: the contract's operationId, one of ours, or a relay.
// Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace alli::proxy {

enum class OperationId : std::uint8_t {
    list_conversations,
    count_daily,
    get_conversation,
    list_chats,
    get_chat,
    list_categories,
    is_running,
    bulk_update,
    update_conversation,
    delete_conversation,
    rate_chat,
    stop_conversation,
    set_title,
    describe,
    status,
    outbox,
    outbox_entry,
    discard,
    retry,
    sync,
    maintain,
    maintenance,
    step_down,
    search,
    export_found,
    ratings,
    insights,
    highlight,
    page,
    asset,
    changes,
    make_link,
    enter,
    sign_out,
    principal,
    tokens,
    add_token,
    revoke_token,
    live,
    ready,
    metrics,
    relay,   // in no row of the table, and upstream's
    unknown, // in no row of the table, and not under /webapi/
};

/// As the contract, metrics and the access log name them.
// clang-format off
inline constexpr auto operation_names = std::to_array<std::string_view>({
    "listConversations", "dailyConversationCount", "getConversation", "listChats",
    "getChat", "listCategories", "isConversationRunning",
    "bulkUpdateConversations", "updateConversation", "deleteConversation",
    "rateChat", "stopConversation", "setConversationTitle",
    "describe", "status", "outbox", "outboxEntry", "discard", "retry", "sync", "maintain",
    "maintenance", "stepDown", "search", "export", "ratings", "insights", "highlight", "page", "asset", "changes",
    "makeLink", "enter", "signOut", "principal", "tokens", "addToken", "revokeToken",
    "live", "ready", "metrics", "relay", "unknown",
});
// clang-format on
static_assert(operation_names.size() == static_cast<std::size_t>(OperationId::unknown) + 1);

constexpr std::string_view name_of(OperationId operation) noexcept
{
    return operation_names[static_cast<std::size_t>(operation)];
}

} // namespace alli::proxy
