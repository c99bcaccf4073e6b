// SPDX-License-Identifier: Apache-2.0
// What was purged and must not come back: keyed hashes of the ids of conversations and users, and a time before which
// nothing is kept. It lives in outbox.db; mirror.db has a copy, which every way into the mirror looks at.
#pragma once

#include "alli/conversation.hpp"
#include "cache/sqlite.hpp"

#include <set>
#include <span>
#include <string>
#include <vector>

namespace alli::cache {

// Of either file:
bool has_ledger(Connection& db);
bool is_purged(Connection& db, const ConversationId& id);
/// By its id, by its user's, or by its age.
bool keeps_out(Connection& db, const Conversation& conversation);
/// The same of all conversations of a list page, in three statements.
std::vector<bool> keeps_out(Connection& db, std::span<const Conversation> listed);

/// One that upstream has and the mirror must not: by its id it is known from now on, and its day does not count.
void note_kept_out(Writer& mirror, const Conversation& conversation);
void note_purged_day(Writer& mirror, std::optional<Instant> created_at);

/// The days of which upstream's counts say nothing about the mirror.
struct PurgedDays {
    std::set<std::chrono::sys_days> days;
    std::optional<Instant> before;
    bool contains(std::chrono::sys_days day) const { return (before && day < *before) || days.contains(day); }
};
PurgedDays load_purged_days(Reader& mirror);

/// What a purge adds. A new ledger gets `key`, bytes that nobody can guess.
struct LedgerEntry {
    std::span<const ConversationId> conversations;
    std::optional<std::string> user;
    std::optional<Instant> before;
};
void add_to_ledger(Writer& outbox, const LedgerEntry& entry, const std::string& key);

/// The whole of one file's ledger, for the other.
struct Ledger {
    std::string key; // empty: there is none
    std::int64_t version = 0;
    std::optional<Instant> before;
    std::vector<std::string> hashes;
};
Ledger load_ledger(Connection& db);
void put_ledger(Writer& db, const Ledger& ledger); // but for its version:
/// Nothing that it names is left in the file; not said where an earlier purge was cut short: then the next start looks.
void finish_ledger(Writer& db, std::int64_t version);

/// At the start: makes the mirror's copy what the outbox has, and erases what is still there of a purge that was cut
/// short. An outbox that lost its own gets the mirror's.
void adopt_ledger(Writer& mirror, Writer& outbox);

} // namespace alli::cache
