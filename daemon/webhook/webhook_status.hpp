// SPDX-License-Identifier: Apache-2.0
// What `status` and `webhook list` say of the webhooks, from the two files: the same beside a running daemon and
// without one.
#pragma once

#include "cache/webhook_state.hpp"

#include <nlohmann/json.hpp>

namespace alli::daemon {

using Json = nlohmann::ordered_json;

inline constexpr std::int64_t most_counted = 10'000; // changes that wait; beyond, "waitingExact" is false

/// An array, by address.
Json make_webhooks(cache::Reader& mirror, cache::Reader& outbox);
/// Adds a problem for each that is not called any more, or has failed for an hour.
void add_webhook_problems(Json& problems, cache::Reader& outbox, Instant now);
/// "delivering", "failing", "dead" or "gone".
std::string_view webhook_state_name(const cache::WebhookState& webhook) noexcept;

} // namespace alli::daemon
