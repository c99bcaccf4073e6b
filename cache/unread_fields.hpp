// SPDX-License-Identifier: Apache-2.0
// Conversations with fields that could not be read: held and served as they came, and one problem each that names the
// fields, never a value. Worked out of what is held, in the commit that changed it. Written by the engine.
#pragma once

#include "alli/conversation.hpp"
#include "cache/db/writer.hpp"

namespace alli::cache {

/// Whether any conversation has such a problem: where none has, only what comes with unread fields need be noted.
bool has_unread_fields(Reader& db);

/// Puts the problem as what is held has it now, or clears it.
void note_unread_fields(Writer& db, const ConversationId& id, Instant now);

} // namespace alli::cache
