// SPDX-License-Identifier: Apache-2.0
#include "cache/webhook_state.hpp"

#include "cache/rows/suppression_list.hpp"

#include <algorithm>
#include <array>

namespace alli::cache {
namespace {

constexpr std::array<std::string_view, 3> life_names{"alive", "dead", "gone"};

WebhookState::Life life_of(std::string_view name)
{
    const auto found = std::find(life_names.begin(), life_names.end(), name);
    return static_cast<WebhookState::Life>(found - life_names.begin());
}

constexpr const char* select =
    "SELECT id, address, kinds, nonce, position, reset, state, delivered, failures, given_up,"
    " tries, failing_since, retry_at, delivered_at, answered_at, last_status, last_error"
    " FROM webhook";

WebhookState read_state(const Row& row) // as `select` has it
{
    WebhookState state;
    state.id = std::string(row.text(0));
    state.address = std::string(row.text(1));
    state.kinds = std::string(row.text(2));
    state.nonce = std::string(row.text(3));
    state.position = row.integer(4);
    state.reset = row.integer(5) != 0;
    state.life = life_of(row.text(6));
    state.delivered = row.integer(7);
    state.failures = row.integer(8);
    state.given_up = row.integer(9);
    state.tries = static_cast<int>(row.integer(10));
    state.failing_since = row.optional_instant(11);
    state.retry_at = row.optional_instant(12);
    state.delivered_at = row.optional_instant(13);
    state.answered_at = row.optional_instant(14);
    state.last_status = row.get<std::optional<int>>(15);
    state.last_error = row.optional_text(16);
    return state;
}

WebhookHold read_hold(const Row& row) // conversation, since, tries, failing_since, retry_at
{
    return {std::string(row.text(0)), row.integer(1), static_cast<int>(row.integer(2)), row.get<Instant>(3),
            row.get<Instant>(4)};
}

Change read_change(const Row& row) // seq, conversation, kind
{
    return {row.integer(0), row.get<ConversationId>(1), std::string(row.text(2))};
}

} // namespace

std::string_view name_of(WebhookState::Life life) noexcept
{
    return life_names[static_cast<std::size_t>(life)];
}

std::optional<WebhookState> find_webhook(Reader& outbox, std::string_view id)
{
    return outbox.one(&read_state, std::string(select) + " WHERE id = ?1", id);
}

std::vector<WebhookState> load_webhooks(Reader& outbox)
{
    return outbox.all(&read_state, std::string(select) + " ORDER BY address, id");
}

void put_webhook(Writer& outbox, const WebhookState& state)
{
    outbox.run("INSERT OR REPLACE INTO webhook (id, address, kinds, nonce, position, reset, state, delivered, failures,"
               " given_up, tries, failing_since, retry_at, delivered_at, answered_at, last_status, last_error)"
               " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)",
               state.id, state.address, state.kinds, state.nonce, state.position, state.reset, name_of(state.life),
               state.delivered, state.failures, state.given_up, state.tries, state.failing_since, state.retry_at,
               state.delivered_at, state.answered_at, state.last_status, state.last_error);
}

void keep_webhooks(Writer& outbox, const std::vector<std::string>& ids)
{
    for (const std::string& id : outbox.all<std::string>("SELECT id FROM webhook")) {
        if (std::find(ids.begin(), ids.end(), id) != ids.end()) continue;
        outbox.run("DELETE FROM webhook WHERE id = ?1", id);
        outbox.run("DELETE FROM webhook_hold WHERE webhook = ?1", id);
    }
}

std::int64_t wake_webhooks(Writer& outbox, std::string_view id)
{
    outbox.run("UPDATE webhook_hold SET retry_at = failing_since WHERE ?1 IN (webhook, '')", id);
    return outbox.run("UPDATE webhook SET state = 'alive', tries = 0, failing_since = NULL, retry_at = NULL"
                      " WHERE ?1 IN (id, '')",
                      id);
}

std::vector<WebhookHold> load_webhook_holds(Reader& outbox, std::string_view webhook)
{
    return outbox.all(&read_hold,
                      "SELECT conversation, since, tries, failing_since, retry_at FROM webhook_hold WHERE webhook = ?1",
                      webhook);
}

void put_webhook_holds(Writer& outbox, std::string_view webhook, const std::vector<WebhookHold>& holds)
{
    outbox.run("DELETE FROM webhook_hold WHERE webhook = ?1", webhook);
    for (const WebhookHold& hold : holds) {
        if (is_purged(outbox, {hold.conversation})) continue; // meanwhile: the sender learns it when the feed restarts
        outbox.run("INSERT INTO webhook_hold (webhook, conversation, since, tries, failing_since, retry_at)"
                   " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                   webhook, hold.conversation, hold.since, hold.tries, hold.failing_since, hold.retry_at);
    }
}

std::int64_t count_webhook_holds(Reader& outbox, std::string_view webhook)
{
    return outbox.require<std::int64_t>("SELECT count(*) FROM webhook_hold WHERE webhook = ?1", webhook);
}

void drop_webhook_holds(Writer& outbox)
{
    outbox.run("DELETE FROM webhook_hold");
}

std::optional<Change> find_change_of(Reader& mirror, const ConversationId& id, std::int64_t since, std::int64_t through)
{
    return mirror.one(&read_change,
                      "SELECT seq, ?1, kind FROM change"
                      " WHERE conversation = coalesce((SELECT pk FROM conversation WHERE id = ?1), ?1)"
                      " AND seq > ?2 AND seq <= ?3 ORDER BY seq LIMIT 1",
                      id.value, since, through);
}

std::int64_t count_changes(Reader& mirror, std::int64_t position, std::string_view kinds, std::int64_t most)
{
    return mirror.require<std::int64_t>("SELECT count(*) FROM (SELECT 1 FROM change WHERE seq > ?1"
                                        " AND instr(?2, ',' || kind || ',') > 0 LIMIT ?3)",
                                        position, kinds, most);
}

} // namespace alli::cache
