// SPDX-License-Identifier: Apache-2.0
// What a purge takes out of each file, row by row. For purge.cpp and the start alone.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/writer.hpp"

#include <unordered_set>

namespace alli::cache {

using IdSet = std::unordered_set<std::string>;

/// One of them is given.
struct PurgeOptions {
    std::optional<std::string> user;
    std::optional<ConversationId> conversation;
    std::optional<Instant> before; // conversations whose last chat was before
};

/// The conversations in the mirror that the wish means, those whose deletion waits too.
std::vector<ConversationId> find_wanted(Reader& mirror, const PurgeOptions& wish);

std::int64_t count_chats(Connection& mirror, const ConversationId& id);
/// Everything that the mirror has of a conversation, or says of it. How many chats there were.
std::int64_t erase_all_of(Writer& mirror, const ConversationId& id);
/// Problems that name this id, of a user or a conversation.
void erase_mentions(Writer& mirror, const std::string& id);

/// What the suppression list names and the mirror has all the same: of those whose deletion waits, and of some hundred
/// rows from a number on.
std::vector<ConversationId> find_suppressed_hidden(Reader& mirror);
struct SuppressedRows {
    std::vector<ConversationId> ids;
    std::optional<std::int64_t> next; // where to go on; none: these were the last
};
SuppressedRows find_suppressed_rows(Reader& mirror, std::int64_t from);

/// What was erased by then may still lie in index terms, free pages and logs. Until erase_remains() is through; none:
/// it does not.
std::optional<Instant> find_remains(Connection& mirror);
void note_remains(Writer& mirror, Instant erased_at);
void drop_remains(Writer& mirror, Instant erased_at); // unless more was erased since

/// At the start: makes the mirror's copy of the suppression list what the outbox has, and erases what is still there of
/// a purge that was cut short: the feed begins anew, as behind a whole one. An outbox that lost its own gets the
/// mirror's. In transactions of its own.
void adopt_suppression_list(Writer& mirror, Writer& outbox, Instant now);

/// What a purge leaves of a write that names what it means; no body: nothing. Of a bulk update (`line`: none) what it
/// names of others, and what it was sent over of them.
struct RestOfWrite {
    std::optional<std::string> body, base;
};
/// None: it names nothing of that.
std::optional<RestOfWrite> find_rest(const std::optional<ConversationId>& line, std::string_view headers,
                                     const std::string& body, const std::optional<std::string>& base,
                                     const PurgeOptions& wish, const IdSet& ids);

/// Writes to those conversations, or in the name of that user; bulk updates lose what they name of them, and those
/// that name nothing else go.
struct PurgedWrites {
    std::vector<std::int64_t> removed;
    std::vector<std::optional<ConversationId>> lines; // that changed
    std::int64_t waiting = 0;                         // of the removed ones
};
PurgedWrites find_writes(Reader& outbox, const PurgeOptions& wish, const IdSet& ids);
PurgedWrites purge_writes(Writer& outbox, const PurgeOptions& wish, const IdSet& ids);

} // namespace alli::cache
