// SPDX-License-Identifier: Apache-2.0
// The suppression list: what was purged and must not be stored again, as keyed hashes of the ids of conversations and
// users, and a time before which nothing is kept. Its home is outbox.db; mirror.db has a copy, which everything that
// stores a conversation checks.
#pragma once

#include "alli/conversation.hpp"
#include "cache/db/writer.hpp"

#include <set>
#include <span>
#include <string>
#include <vector>

namespace alli::cache {

// Of either file:
bool has_suppression_list(Connection& db);
bool is_purged(Connection& db, const ConversationId& id);
/// Suppressed by its id, its user or its age.
bool is_suppressed(Connection& db, const Conversation& conversation);

/// Why a conversation may not be stored: it was purged, or retention would not keep it.
struct KeptOut {
    bool suppressed = false, too_old = false;
};
KeptOut find_kept_out(Connection& db, const Conversation& conversation);
/// The same of all conversations of a list page, in three statements.
std::vector<bool> is_suppressed(Connection& db, std::span<const Conversation> listed);

/// Upstream has this suppressed conversation: remembers its id, and leaves its day out of the comparison of counts.
void note_suppressed(Writer& mirror, const Conversation& conversation);
void note_purged_day(Writer& mirror, std::optional<Instant> created_at);

/// Retention: nothing is kept whose last chat (its creation, without one) was before the horizon, unless it is there
/// already. Of mirror.db; apart from the list of what was purged. None: everything is kept.
std::optional<Instant> find_horizon(Connection& mirror);
void put_horizon(Writer& mirror, std::optional<Instant> horizon);
bool is_before_horizon(std::optional<Instant> horizon, const Conversation& conversation);

/// The days whose counts upstream and the mirror cannot be compared by.
struct PurgedDays {
    std::set<std::chrono::sys_days> days;
    std::optional<Instant> before;
    bool contains(std::chrono::sys_days day) const { return (before && day < *before) || days.contains(day); }
};
PurgedDays load_purged_days(Reader& mirror);

/// What a purge adds. A new list hashes with `key`: random bytes.
struct Suppression {
    std::span<const ConversationId> conversations;
    std::optional<std::string> user;
    std::optional<Instant> before;
};
void suppress(Writer& outbox, const Suppression& entry, const std::string& key);

/// The key that a new list of this file takes instead: on several machines all hash alike. Of a file with a list, that
/// one's stays.
void put_shared_key(Writer& outbox, const std::string& key);
std::optional<std::string> find_shared_key(Connection& outbox);

/// The whole list of one file, to be copied into the other.
struct SuppressionList {
    std::string key; // empty: there is no list
    std::int64_t version = 0;
    std::optional<Instant> before;
    std::vector<std::string> hashes;
};
SuppressionList load_suppression_list(Connection& db);
void put_suppression_list(Writer& db, const SuppressionList& list); // without its version
/// True where it was not all there: then the version has moved on.
bool merge_suppression_list(Writer& db, const SuppressionList& list);
std::int64_t suppression_version(Connection& db);
void put_suppression_version(Writer& db, std::int64_t version);
bool is_same_suppression_list(Connection& a, Connection& b);
/// The file holds nothing suppressed any more. Not recorded where an earlier purge was interrupted: then the next start
/// erases.
void finish_suppression(Writer& db, std::int64_t version);

} // namespace alli::cache
