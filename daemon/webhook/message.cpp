// SPDX-License-Identifier: Apache-2.0
#include "daemon/webhook/message.hpp"

#include "daemon/webhook/signature.hpp"

#include <nlohmann/json.hpp>

namespace alli::daemon {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::chrono::seconds patience{20}; // for the whole answer

std::string write_body(std::string_view type, Instant at, Json data)
{
    Json body;
    body["type"] = type;
    body["timestamp"] = to_rfc3339(at);
    body["data"] = std::move(data);
    return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json data_of(std::int64_t seq, std::string_view conversation, std::string_view kind)
{
    Json data;
    data["seq"] = seq;
    data["conversationId"] = nullptr;
    if (!conversation.empty()) data["conversationId"] = conversation;
    data["kind"] = kind;
    return data;
}

} // namespace

WebhookMessage make_message(const cache::WebhookState& webhook, const cache::Change& change, Instant at)
{
    const std::string_view type = webhook_event_of(change.kind);
    return {fmt::format("msg_{}_{}", webhook.nonce, change.seq),
            write_body(type, at, data_of(change.seq, change.conversation.value, change.kind))};
}

WebhookMessage make_reset(const cache::WebhookState& webhook, Instant at)
{
    return {fmt::format("msg_{}_reset_{}", webhook.nonce, webhook.position),
            write_body("mirror.reset", at, data_of(webhook.position, "", "reset"))};
}

WebhookMessage make_test(std::string_view nonce, Instant at)
{
    return {fmt::format("msg_test_{}", nonce), write_body("mirror.test", at, data_of(0, "", "test"))};
}

upstream::Request make_request(const WebhookEndpoint& endpoint, const WebhookMessage& message, Instant now)
{
    const auto at = std::chrono::floor<std::chrono::seconds>(now);
    upstream::Request request;
    request.method = "POST";
    request.target = endpoint.target;
    request.headers.add("Content-Type", "application/json");
    request.headers.add("Accept-Encoding", "identity"); // nothing small that unpacks to much
    request.headers.add("webhook-id", message.id);
    request.headers.add("webhook-timestamp", std::to_string(at.time_since_epoch().count()));
    request.headers.add("webhook-signature", sign_message(endpoint.secrets, message.id, at, message.body));
    request.body = message.body;
    request.timeout = patience;
    return request;
}

} // namespace alli::daemon
