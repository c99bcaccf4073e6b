// SPDX-License-Identifier: Apache-2.0
// The outbox: writes accepted from local apps, committed before they are acknowledged or sent; and what an operator may
// do with them. Delivery uses fifos.hpp. Functions with a Writer run inside Store::write_outbox.
#pragma once

#include "alli/ids.hpp"
#include "cache/outbox/entry.hpp"

#include <optional>
#include <string>
#include <vector>

namespace alli::cache {

/// A write as it came.
struct NewEntry {
    EditKind kind = EditKind::update;
    std::optional<ConversationId> conversation; // none: a bulk update
    std::optional<ChatId> chat;
    std::string method, path; // path: with its query, byte for byte
    std::string headers;      // those that go with it, as a JSON object
    std::string body;
    std::string upstream_key;              // Idempotency-Key of every attempt
    std::optional<std::string> client_key; // the local app's own
    std::string request_hash;
    std::optional<std::string> base; // the members it sets, as upstream had them when it came
    Instant created_at;
};

/// What becomes of a request that wants to be accepted.
struct Acceptance {
    enum class Kind {
        fresh,    // committed
        repeated, // the same Idempotency-Key and the same request: `id` is the first one's
        mismatch, // the same key, another request
    };
    Kind kind = Kind::fresh;
    std::int64_t id = 0;
    std::int64_t place = 0;  // of a fresh one
    bool heads_line = false; // likewise: nothing of its line waits before it
};

struct OutboxLimits {
    std::int64_t entries = 100'000; // that are not delivered
    std::int64_t bytes = std::int64_t{1} << 30;
};

/// Throws Error{unavailable} when the queue is full. Refusals that an app was told of give way before.
Acceptance accept(Writer& db, const NewEntry& entry, const OutboxLimits& limits = {});

/// A write that was just committed, on its way to delivery: nobody need read it again.
struct AcceptedWrite {
    Entry entry;
    bool heads_line = false;
};
AcceptedWrite accepted_write(NewEntry entry, const Acceptance& fresh);

std::optional<Entry> find_entry(Reader& db, std::int64_t id);

/// Newest first, without bodies and answers. `before`: the last id of the page before.
struct EntryQuery {
    std::optional<EntryState> state;
    std::optional<std::int64_t> before;
    int limit = 100;
};
std::vector<Entry> list_entries(Reader& db, const EntryQuery& query);

struct OutboxCounts {
    std::int64_t pending = 0, conflicts = 0, failed = 0, delivered = 0; // pending: those being sent too
    std::optional<Instant> oldest;                                      // of those that wait
};
OutboxCounts count_entries(Reader& db);

/// Operator actions and their result.
enum class OperatorResult { done, absent, wrong_state };
struct RetryResult {
    OperatorResult outcome = OperatorResult::absent;
    Entry entry; // as it is now
};
/// A failed entry goes to the end of its queue; one in conflict is sent whatever upstream has.
RetryResult retry_entry(Writer& db, std::int64_t id);
/// Deletes an entry that waits, failed or is in conflict.
OperatorResult discard_entry(Writer& db, std::int64_t id);

/// Deletes entries that were settled before `before` and need no attention. Returns how many.
std::int64_t purge_entries(Writer& db, Instant before, int limit);

} // namespace alli::cache
