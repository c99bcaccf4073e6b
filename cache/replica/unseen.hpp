// SPDX-License-Identifier: Apache-2.0
// While all that is shared is read: what of this mirror is not in it. Where the node takes the one in the place of the
// other that goes; where the shared one was put back to an earlier state it stays, and nothing is claimed of it.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/writer.hpp"
#include "cache/replica/published.hpp"

#include <set>
#include <span>
#include <string>
#include <vector>

namespace alli::cache {

/// Forgets what an earlier reading saw.
void begin_seeing(Writer& db);
/// Each of these is there. On the committing connection, until one of the next two.
void note_seen(Writer& db, const PublishedRows& rows);
/// The conversations that were not seen.
std::vector<ConversationId> take_unseen(Writer& db);
/// Removes such: they are not there.
void erase_unseen(Writer& db, std::span<const ConversationId> unseen);
/// Out of `rows` go the ends of what is held here: it may be there again.
void keep_held(Writer& db, PublishedRows& rows);

/// In the file: this node keeps what a database that was put back has lost.
bool keeps_unseen(Reader& db);
void put_keeps_unseen(Writer& db, bool keeps);

/// Of the times of these conversations nothing is claimed. Makes no notes.
void unclaim(Writer& db, const std::set<std::string>& conversations);

} // namespace alli::cache
