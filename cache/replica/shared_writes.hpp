// SPDX-License-Identifier: Apache-2.0
// A node's copy of the outbox that a cluster shares: rows of it put into outbox.db, and what they show in the mirror.
// Whoever applies them sees to it that none is older than the one that was applied before. Functions with a Writer
// belong into Store::write_outbox, or Store::write where they say mirror.
#pragma once

#include "alli/conversation.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/replica/shared_write.hpp"
#include "cache/store.hpp"

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace alli::cache {

/// As it is accepted: its Idempotency-Key, which here has a principal before it, apart from whose it is.
NewWrite new_write(NewEntry entry);

/// How far this file has the shared outbox.
struct WritesPosition {
    std::string store; // which one: Head::store
    std::int64_t number = 0;
    std::string nonce;

    friend bool operator==(const WritesPosition&, const WritesPosition&) = default;
};
std::optional<WritesPosition> find_writes_position(Reader& outbox);
void put_writes_position(Writer& outbox, const WritesPosition& position);
void forget_writes_position(Writer& outbox);
/// Entries that were accepted after a number: of those that a node had before it got as far.
std::vector<std::int64_t> find_later(Reader& outbox, std::int64_t number);

/// What applying a row did here.
struct AppliedWrite {
    Entry entry; // as it is now, whole
    std::int64_t number = 0;
    bool gone = false;         // discarded: it is not here any more
    bool is_new = false;       // it was not here before
    bool is_fresh = false;     // likewise, and was accepted within the last moments
    bool heads_line = false;   // nothing of its line waits before it
    bool is_overtaken = false; // a later write of the same was heard of before, as delivered: it shows no more
};
/// Whom they name, for apply_writes() to leave out what this node's list names.
struct SuppressedNames {
    bool any = false; // something was ever purged
    std::vector<Conversation> conversations;
    std::set<std::string> users;
};
SuppressedNames find_suppressed_names(Store& store, std::span<const SharedWrite> writes);

/// Those of them that name what this node's list has, and were not emptied for that yet.
std::vector<ErasedWrite> find_erased(Reader& outbox, std::span<const SharedWrite> writes, const SuppressedNames& names);
/// Up to which version of the list this node has looked through all that is shared.
std::optional<std::int64_t> find_looked_through(Reader& outbox);
void put_looked_through(Writer& outbox, std::int64_t version);

/// What applying rows did here.
struct AppliedWrites {
    std::vector<AppliedWrite> writes;
    std::vector<std::int64_t> refused; // ids that another write has here
};
/// Puts them by id. Settled before `kept_since` and unknown here: left out, as they would be removed at once. An entry
/// of another write under the same id (of a database that was put back, or of a time without a cluster) is left as it
/// is: find_strays() names it.
AppliedWrites apply_writes(Writer& outbox, std::span<const SharedWrite> writes, Instant kept_since,
                           const SuppressedNames& names = {});
/// Which of them head their lines now that all are here.
void find_heads(Reader& outbox, std::span<AppliedWrite> applied);

/// What the mirror shows of them from now on, at a node that follows: what is delivered is part of upstream's copy at
/// once, for the leader sees through its lag, and what it publishes holds. Makes no notes.
void show_writes(Writer& mirror, std::span<const AppliedWrite> applied);
/// The same at the leader: what is delivered is so since `when`.
void show_writes(Writer& mirror, std::span<const AppliedWrite> applied, const Confirmation& when);

/// Entries of this file, as they would be shared: those that are open, or settled after `since`, and have none of these
/// keys (upstream_key).
std::vector<SharedWrite> find_strays(Reader& outbox, const std::vector<std::string>& known, Instant since);

/// Entries of this file that are under another id there, of all that are there (ids by upstream_key).
std::vector<SharedWrite> find_moved(Reader& outbox, const std::map<std::string, std::int64_t>& there);
/// Those that are delivered here, and open there, maybe under another id: of a database that was put back to an earlier
/// state.
std::vector<SharedWrite> find_delivered(Reader& outbox, std::span<const SharedWrite> there);

/// The entry goes from here, for it has another id now, or the database forgot it.
void remove_write(Writer& outbox, std::int64_t id);
/// It has that id from now on: where it is there already, it goes; where another one is, it stays.
void move_write(Writer& outbox, std::int64_t id, std::int64_t to);
/// Only where it was settled before that, and needs nobody.
void remove_settled(Writer& outbox, std::int64_t id, Instant before);

/// The rest of an outcome: what is known here of the entry beside it.
WriteOutcome whole_outcome(Reader& outbox, std::int64_t id, Outcome outcome);

} // namespace alli::cache
