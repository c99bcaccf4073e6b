// SPDX-License-Identifier: Apache-2.0
// Writes of conversations in view: whose an entry is, the mirror alone knows. Bulk updates are in nobody's view, nor is
// what was written to a conversation that is gone. A reader of each file; may take long: use Store::read_long.
#pragma once

#include "cache/outbox/outbox.hpp"
#include "cache/rows/visibility.hpp"

namespace alli::cache {

/// Whether the conversation is in view, or its deletion waits and it was in view before.
bool is_visible_or_hidden(Reader& mirror, const ConversationId& id, const Visibility& seen);
bool is_visible(Reader& mirror, const Entry& entry, const Visibility& seen);

/// As list_entries().
std::vector<Entry> list_visible_entries(Reader& outbox, Reader& mirror, const Visibility& seen, EntryQuery query);

/// As count_entries().
OutboxCounts count_visible_entries(Reader& outbox, Reader& mirror, const Visibility& seen);

} // namespace alli::cache
