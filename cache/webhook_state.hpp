// SPDX-License-Identifier: Apache-2.0
// How far each webhook has been told the change feed, in outbox.db. A webhook has one position, and beside it the
// conversations that are held because the receiver refused an event of theirs. Written by the webhook's sender alone.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/writer.hpp"
#include "cache/rows/change_feed.hpp"

#include <optional>
#include <string>
#include <vector>

namespace alli::cache {

struct WebhookHold {
    std::string conversation; // empty: changes of none, or of many
    std::int64_t since = 0;   // its changes after this one, up to the webhook's position, are not delivered
    int tries = 0;
    Instant failing_since, retry_at;
};

struct WebhookState {
    enum class Life { alive, dead, gone }; // gone: the receiver answered 410
    std::string id;                        // hash of its address
    std::string address;                   // for people: without a query
    std::string kinds;                     // ",chats,deleted,": of the changes that it is told
    std::string nonce;                     // the ids of its messages begin with it
    std::int64_t position = 0;             // the feed up to here is delivered or held
    bool reset = false;                    // `mirror.reset` comes before anything else
    Life life = Life::alive;
    std::int64_t delivered = 0, failures = 0, given_up = 0;
    int tries = 0; // without success since failing_since
    std::optional<Instant> failing_since = {}, retry_at = {}, delivered_at = {}, answered_at = {};
    std::optional<int> last_status = {};
    std::optional<std::string> last_error = {};
};
std::string_view name_of(WebhookState::Life life) noexcept;

std::optional<WebhookState> find_webhook(Reader& outbox, std::string_view id);
std::vector<WebhookState> load_webhooks(Reader& outbox);
void put_webhook(Writer& outbox, const WebhookState& state);
/// Forgets every webhook but these: one that is set up again later begins with what is new then.
void keep_webhooks(Writer& outbox, const std::vector<std::string>& ids);
/// A person says that the receiver is well again: what is dead, gone or pausing is tried at once. `id` empty: all.
/// How many there are.
std::int64_t wake_webhooks(Writer& outbox, std::string_view id);

std::vector<WebhookHold> load_webhook_holds(Reader& outbox, std::string_view webhook);
void put_webhook_holds(Writer& outbox, std::string_view webhook, const std::vector<WebhookHold>& holds);
std::int64_t count_webhook_holds(Reader& outbox, std::string_view webhook);
/// Of all webhooks: a purge leaves no id behind, and restarts the feed.
void drop_webhook_holds(Writer& outbox);

/// The first change of that conversation in (since, through].
std::optional<Change> find_change_of(Reader& mirror, const ConversationId& id, std::int64_t since,
                                     std::int64_t through);
/// How many changes of these kinds come after that position; counts no further than `most`.
std::int64_t count_changes(Reader& mirror, std::int64_t position, std::string_view kinds, std::int64_t most);

} // namespace alli::cache
