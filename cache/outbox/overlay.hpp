// SPDX-License-Identifier: Apache-2.0
// The overlay of pending writes on reads: the mirror's own rows contain the effect of a write, and upstream's copy of
// the row is kept beside them until the write is delivered or dropped. So lists, filters, search and counts need no
// extra lookup, and dropping a write restores upstream's copy. Derived from the outbox. Functions with a Writer run
// inside Store::write.
#pragma once

#include "alli/clock.hpp"
#include "cache/outbox/entry.hpp"
#include "cache/outbox/overlay_ingest.hpp"
#include "cache/outbox/overlay_lag.hpp"

#include <string>
#include <vector>

namespace alli::cache {

/// Notes in the change feed that the writes of this conversation, or of none, changed.
void note_outbox(Writer& db, const std::optional<ConversationId>& id);

/// A pending write shows from now on. Idempotent.
void show_edit(Writer& db, const Entry& entry);

/// Upstream confirmed a write. For `lag` after that its reads may return the state before the write.
struct Confirmation {
    // Implicit: a time alone is a confirmation without lag.
    Confirmation(Clock::Steady its_at = {}, std::optional<Instant> its_utc = {}, std::chrono::nanoseconds its_lag = {})
        : at(its_at), utc(its_utc), lag(its_lag)
    {}

    Clock::Steady at;
    std::optional<Instant> utc; // the same time for the next process; none: not kept over a restart
    std::chrono::nanoseconds lag;
    std::optional<std::string> base{}; // find_base() from before it was sent, where that was looked up
};

/// The write stays visible over responses to requests made before it, and over lagging reads (read_lag.hpp). `answer`:
/// upstream's own copy, where it sent one.
void confirm_edit(Writer& db, const Entry& entry, const std::optional<std::string>& answer, const Confirmation& when);
bool is_confirmed(Reader& db, std::int64_t entry);

/// The write will not be applied: restores upstream's copy.
void drop_edit(Writer& db, std::int64_t entry);

/// Forgets confirmed writes whose lag ended before `before`: no older state can arrive any more.
void forget_confirmed(Writer& db, Clock::Steady before);
bool has_confirmed(Reader& db); // any

/// At a start: writes confirmed by an earlier process lag for the rest of `lag` by the wall clock; those whose lag is
/// over are forgotten.
void resume_lag(Writer& db, Clock::Steady now, Instant utc, std::chrono::nanoseconds lag);

/// Upstream's values, as far as the mirror knows them, of the members that a write sets; none when it does not hold
/// them.
std::optional<std::string> find_base(Reader& db, const ConversationId& id, const Patch& wanted);
std::optional<std::string> find_base(Reader& db, const Entry& entry); // of a chat too; none for a bulk update

/// Conversations in which an entry shows.
std::vector<ConversationId> find_edited(Reader& db, std::int64_t entry, int limit);

/// The pending entries that the mirror shows, and those in the outbox; a difference at the start has to be repaired by
/// showing or dropping them. Ascending.
std::vector<std::int64_t> load_shown(Reader& mirror);
std::vector<std::int64_t> load_waiting(Reader& outbox);

} // namespace alli::cache
