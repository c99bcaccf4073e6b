// SPDX-License-Identifier: Apache-2.0
// Whether a failure concerns one conversation or page, or all that upstream is asked for; and the problem that a
// conversation which cannot be read is kept as.
#pragma once

#include "cache/rows/problems.hpp"
#include "sync/pages/context.hpp"

namespace alli::sync {

/// Whether others can be read while this one cannot; may ask upstream for a list to find out.
Task<bool> is_its_own(SyncContext context, Fault fault, upstream::Priority priority);

/// Asks for a list of a time in which nothing can be: an upstream that cannot answer that cannot answer any. False
/// where the answer cannot be read; throws what else the client throws.
Task<bool> answers_lists(SyncContext context, upstream::Priority priority);

/// A failure that concerns all: an answer that cannot be read is then no answer of upstream's, and no reason to pass
/// anything by.
Error concern_all(SyncContext context, const Error& error);

/// Keeps a conversation that cannot be read as a problem, which is tried again later.
void note_unreadable(cache::Writer& db, const ConversationId& id, const Error& why, Instant now,
                     std::optional<Instant> last_chat_at = std::nullopt);

/// The same of one that upstream was asked about by itself: the time that it is held with is not complete, unless the
/// problem already says which time is not.
void note_unreadable_alone(cache::Writer& db, const ConversationId& id, const Error& why, Instant now);

/// A conversation of which only a part could be read, noted to be asked for again; `before`: its problem until then.
void note_partial(cache::Writer& db, const ConversationId& id, const std::optional<cache::Problem>& before,
                  Instant now);

/// The same of one that upstream counts more chats of than it shows.
void note_contradicted(cache::Writer& db, const ConversationId& id, const std::optional<cache::Problem>& before,
                       Instant now);

} // namespace alli::sync
