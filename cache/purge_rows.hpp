// SPDX-License-Identifier: Apache-2.0
// What a purge takes out of each file, row by row. For purge.cpp and the ledger alone.
#pragma once

#include "cache/outbox.hpp"
#include "cache/purge.hpp"
#include "cache/sqlite.hpp"

#include <unordered_set>

namespace alli::cache {

using IdSet = std::unordered_set<std::string>;

/// The conversations in the mirror that the wish means, those whose deletion waits too.
std::vector<ConversationId> find_wanted(Reader& mirror, const PurgeWish& wish);

std::int64_t count_chats(Connection& mirror, const ConversationId& id);
/// Everything that the mirror has of a conversation, or says of it. How many chats there were.
std::int64_t erase_all_of(Writer& mirror, const ConversationId& id);
/// What names the id of a user without being of a conversation.
void erase_mentions(Writer& mirror, const std::string& user);

/// At the start: what the ledger names and the mirror still has. In transactions of its own.
void erase_purged(Writer& mirror);

/// Writes to those conversations, or in the name of that user; bulk updates lose what they name of them, and those
/// that name nothing else go.
struct PurgedWrites {
    std::vector<std::int64_t> removed;
    std::vector<std::optional<ConversationId>> lines; // that changed
    std::int64_t waiting = 0;                         // of the removed ones
};
PurgedWrites find_writes(Reader& outbox, const PurgeWish& wish, const IdSet& ids);
PurgedWrites purge_writes(Writer& outbox, const PurgeWish& wish, const IdSet& ids);

} // namespace alli::cache
