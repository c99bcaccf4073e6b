// SPDX-License-Identifier: Apache-2.0
// The outbox: writes that local apps were promised. Accepted here before anything is sent or acknowledged, and looked
// at by people; how they are sent is in outbox_line.hpp. Functions with a Writer belong into Store::write_outbox.
#pragma once

#include "alli/ids.hpp"
#include "cache/edit.hpp"
#include "cache/sqlite.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace alli::cache {

enum class EntryState { pending, sending, conflict, failed, delivered };
std::string_view name_of(EntryState state) noexcept;
std::optional<EntryState> find_entry_state(std::string_view name) noexcept;

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

struct Entry {
    std::int64_t id = 0, place = 0;
    EditKind kind = EditKind::update;
    EntryState state = EntryState::pending;
    std::optional<ConversationId> conversation;
    std::optional<ChatId> chat;
    std::string method, path, headers, body, upstream_key;
    std::optional<std::string> base, conflict, response, response_type, last_error;
    std::optional<int> last_status;
    int attempts = 0;
    Instant created_at;
    std::optional<Instant> next_attempt_at;
    bool unclear = false, forced = false;
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

/// Throws Error{unavailable} when the queue is full.
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

/// What a person may do. Each says what became of it.
enum class Steered { done, absent, wrong_state };
struct Retried {
    Steered outcome = Steered::absent;
    Entry entry; // as it is now
};
/// A failed one goes to the end of the line; one in conflict is sent whatever upstream has.
Retried retry_entry(Writer& db, std::int64_t id);
/// Takes back one that waits, failed or is in conflict.
Steered discard_entry(Writer& db, std::int64_t id);

/// Forgets what was settled before `before` and needs nobody. How many.
std::int64_t purge_entries(Writer& db, Instant before, int limit);

} // namespace alli::cache
