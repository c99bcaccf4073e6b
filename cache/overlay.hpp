// SPDX-License-Identifier: Apache-2.0
// What waiting writes do to reads, by one rule: the mirror's own rows hold the effect, and beside them, for as long as
// it lasts, what upstream sent. So lists, filters, search and counts see a waiting write without asking for it, and it
// is taken back by putting upstream's copy in its place. Derived from the outbox, never the other way round. Functions
// with a Writer belong into Store::write.
#pragma once

#include "alli/clock.hpp"
#include "alli/conversation.hpp"
#include "cache/outbox.hpp"
#include "cache/sqlite.hpp"

#include <span>
#include <string>
#include <vector>

namespace alli::cache {

/// The feed tells that writes of this conversation, or of none, are not what they were.
void note_outbox(Writer& db, const std::optional<ConversationId>& id);

/// A write that waits shows from now on. Again is nothing new.
void show_edit(Writer& db, const Entry& entry);

/// Upstream applied it at `when`. It goes on showing over whatever was asked for before that. `answer`: upstream's own
/// copy, where it sent one.
void confirm_edit(Writer& db, const Entry& entry, const std::optional<std::string>& answer, Clock::Steady when);

/// It will not be applied: upstream's copy shows again.
void drop_edit(Writer& db, std::int64_t entry);

/// Confirmed before `before`: by now nothing older can still come.
void forget_confirmed(Writer& db, Clock::Steady before);

/// The members that a write sets, as upstream has them as far as the mirror knows; none when it does not hold it.
std::optional<std::string> find_base(Reader& db, const ConversationId& id, const Patch& wanted);

/// The entries that wait as far as the mirror shows, and, of the outbox, those that wait: what differs after a start
/// has to be shown again. Ascending.
std::vector<std::int64_t> load_shown(Reader& mirror);
std::vector<std::int64_t> load_waiting(Reader& outbox);

// For conversations.cpp alone:

/// What came from upstream is kept aside where edits show; returns what goes into the mirror's rows instead.
struct Shown {
    bool hidden = false;                 // nothing: its deletion waits
    std::optional<Conversation> instead; // none: as it came
};
Shown overlay_conversation(Writer& db, const Conversation& came);

/// Whether anything changes chats of it; then each goes through overlay_chat.
bool changes_chats(Writer& db, const ConversationId& id);
std::optional<Chat> overlay_chat(Writer& db, const ConversationId& id, const Chat& came);

/// Whether a waiting or just confirmed write shows in this chat.
bool shows_edit(Reader& db, const ConversationId& id, const ChatId& chat);

bool is_hidden(Reader& db, const ConversationId& id);
void put_hidden_chats(Writer& db, const ConversationId& id, std::int64_t first_ordinal, std::span<const Chat> chats);
void cut_hidden_chats(Writer& db, const ConversationId& id, std::int64_t first_ordinal);
std::vector<ChatId> hidden_chat_ids(Reader& db, const ConversationId& id, std::int64_t first_ordinal);

/// Upstream has it no more.
void forget_upstream(Writer& db, const ConversationId& id);

} // namespace alli::cache
