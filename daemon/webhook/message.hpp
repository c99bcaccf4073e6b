// SPDX-License-Identifier: Apache-2.0
// The messages of a webhook: what the change feed says, and nothing of what a conversation holds. Pure.
#pragma once

#include "alli/instant.hpp"
#include "cache/webhook_state.hpp"
#include "daemon/settings/webhook_settings.hpp"
#include "upstream/http.hpp"

#include <string>

namespace alli::daemon {

struct WebhookMessage {
    std::string id;   // the same whenever the same event is sent again
    std::string body; // JSON
};

/// `at`: when it was sent first, as far as this process knows.
WebhookMessage make_message(const cache::WebhookState& webhook, const cache::Change& change, Instant at);
/// That the receiver must forget what it knows: the feed was restarted, and goes on after `webhook.position`.
WebhookMessage make_reset(const cache::WebhookState& webhook, Instant at);
/// `nonce`: random, for nobody takes two tests for one.
WebhookMessage make_test(std::string_view nonce, Instant at);

/// Signed at `now`.
upstream::Request make_request(const WebhookEndpoint& endpoint, const WebhookMessage& message, Instant now);

} // namespace alli::daemon
