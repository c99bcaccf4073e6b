// SPDX-License-Identifier: Apache-2.0
// What a leader published, into a follower's mirror.db: by the reader and the rows that bring anything from upstream,
// so that a follower serves what the leader serves. Makes no notes. Everything may be applied again.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/writer.hpp"
#include "cache/replica/published.hpp"

#include <span>

namespace alli::cache {

/// How far a node has applied what is shared, as its file says it: of which store, and to which commit.
struct ReplicaPosition {
    std::string store;
    std::int64_t number = 0;
    std::string nonce;

    friend bool operator==(const ReplicaPosition&, const ReplicaPosition&) = default;
};
std::optional<ReplicaPosition> find_position(Reader& db);
void put_position(Writer& db, const ReplicaPosition& position);
void drop_position(Writer& db);

/// Parts of about so many rows, none of which parts a conversation. The state is in none of them.
std::vector<PublishedRows> in_parts(PublishedRows rows, std::size_t about);

/// Conversations and chats alone, and the unit of time where `rows` have it. Returns those that are not whole
/// afterwards: their chats have to be read again before any state is applied.
std::vector<ConversationId> apply_rows(Writer& db, const PublishedRows& rows);

/// Coverage, progress and the like, with the position: in the commit that makes all rows up to it whole, or a later
/// one.
void apply_state(Writer& db, std::span<const PublishedState> state, const ReplicaPosition& position);

/// The mirror claims completeness for no time any more and has no position: before rows of unknown age are applied to
/// it. Both are there again with the next apply_state().
void claim_nothing(Writer& db);

} // namespace alli::cache
