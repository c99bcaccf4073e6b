// SPDX-License-Identifier: Apache-2.0
// What the mirror knows of the conversations of one list page, read for all of them together: a few statements a page,
// not several a conversation. For the engine, before it fetches and inside the commit.
#pragma once

#include "cache/conversations.hpp"
#include "cache/rows/problems.hpp"

#include <span>

namespace alli::cache {

struct ConversationState {
    std::optional<std::int64_t> pk;
    std::optional<Held> held;       // as find_held()
    std::optional<Problem> problem; // the conversation's own: it cannot be read, or only in part
    std::int64_t end = 0;           // no chat has a row from this ordinal on
    bool hidden = false;            // a pending or just delivered deletion hides its rows
    bool lags = false;              // a write was delivered so lately that reads may lag behind it
    std::vector<ChatId> tail = {};  // filled by load_tail_ids()
};

/// In the order of `ids`.
std::vector<ConversationState> load_states(Reader& db, std::span<const ConversationId> ids);

/// Fills each `tail`: the ids of the held chats from its ordinal in `first` on, oldest first. Skips those that hold no
/// chat there.
void load_tail_ids(Reader& db, std::span<const ConversationId> ids, std::span<const std::int64_t> first,
                   std::span<ConversationState> states);

} // namespace alli::cache
