// SPDX-License-Identifier: Apache-2.0
// The rows of conversations and their chats, written as they are given; suppression and waiting edits are applied by
// cache/conversations.hpp and the overlay. A row changes only where it differs, so that a pass without news writes
// nothing; each change is noted in the change feed and in the search index.
#pragma once

#include "alli/conversation.hpp"
#include "cache/db/writer.hpp"

#include <optional>
#include <span>

namespace alli::cache {

/// The number of its row.
std::optional<std::int64_t> find_pk(Connection& db, const ConversationId& id);

/// The conversation itself, not its chats. True when something changed.
bool put_rows(Writer& db, const Conversation& conversation);

/// Chats at ordinals first_ordinal, +1, ... (at most the held number, so that no hole comes to be). Where another chat
/// stands at an ordinal than the one that came, it and all beyond it are removed first. Returns how many changed.
std::int64_t put_chat_rows(Writer& db, std::int64_t pk, const ConversationId& id, std::int64_t first_ordinal,
                           std::span<const Chat> chats);

/// Replaces the chat of that id, if it is held.
void replace_chat_row(Writer& db, const ConversationId& id, const Chat& chat);

/// Removes the chats from an ordinal on. True when there were any.
bool cut_chat_rows(Writer& db, const ConversationId& id, std::int64_t first_ordinal);

/// Removes a conversation with its chats and their terms in the index. True when there was one.
bool remove_rows(Writer& db, const ConversationId& id);

} // namespace alli::cache
