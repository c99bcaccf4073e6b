// SPDX-License-Identifier: Apache-2.0
// The change feed: which conversations changed, in the order of the commits. Of each conversation and kind the latest
// change stands; its number is higher than all before it and never used twice.
#pragma once

#include "alli/ids.hpp"
#include "cache/sqlite.hpp"

#include <string>
#include <vector>

namespace alli::cache {

enum class ChangeKind { conversation, chats, deleted, outbox };
std::string_view name_of(ChangeKind kind) noexcept;

struct Change {
    std::int64_t seq = 0;
    ConversationId conversation;
    std::string kind;
};

void note_change(Writer& db, const ConversationId& id, ChangeKind kind);

/// Those after `since`, oldest first, at most `limit`.
std::vector<Change> load_changes(Reader& db, std::int64_t since, int limit);

} // namespace alli::cache
