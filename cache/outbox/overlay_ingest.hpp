// SPDX-License-Identifier: Apache-2.0
// What comes from upstream while edits show, and the mirror's rows that both together make.
#pragma once

#include "cache/outbox/overlay_lag.hpp"

#include <span>

namespace alli::cache {

/// Makes the mirror's rows of one conversation what upstream's copy and the edits make of it.
void show_effect(Writer& db, const ConversationId& id);
void show_effect_on_chat(Writer& db, const ConversationId& id, const std::string& chat);

/// Stores what came from upstream as upstream's copy where edits show, and returns what the mirror's rows hold instead.
struct Shown {
    bool hidden = false;                 // nothing: its deletion is pending
    std::optional<Conversation> instead; // none: as it came
};
Shown overlay_conversation(Writer& db, const Conversation& came);

/// Whether edits change chats of it; then they go through overlay_chats().
bool changes_chats(Writer& db, const ConversationId& id);
std::vector<Chat> overlay_chats(Writer& db, const ConversationId& id, std::span<const Chat> came,
                                const AskedAt& asked_at);

/// Whether a pending or recently confirmed write shows in this chat.
bool shows_edit(Reader& db, const ConversationId& id, const ChatId& chat);

bool is_hidden(Reader& db, const ConversationId& id);
void put_hidden_chats(Writer& db, const ConversationId& id, std::int64_t first_ordinal, std::span<const Chat> chats);
void cut_hidden_chats(Writer& db, const ConversationId& id, std::int64_t first_ordinal);
std::vector<ChatId> hidden_chat_ids(Reader& db, const ConversationId& id, std::int64_t first_ordinal);

/// Upstream no longer has it.
void forget_upstream(Writer& db, const ConversationId& id);

} // namespace alli::cache
