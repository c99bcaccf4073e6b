// SPDX-License-Identifier: Apache-2.0
// Conversations and their chats, stored and read. What comes from upstream goes through the suppression list and the
// overlay of waiting writes before it reaches the rows (cache/rows/conversation_rows.hpp). Raw JSON is kept; columns
// exist for finding it.
#pragma once

#include "alli/conversation.hpp"
#include "cache/rows/conversation_rows.hpp"
#include "cache/rows/coverage.hpp"
#include "cache/rows/totals.hpp"

#include <span>
#include <string>
#include <vector>

namespace alli::cache {

/// What the mirror holds of a conversation; for the engine to see what is missing.
struct Held {
    std::int64_t chats = 0; // how many, ordinals 0 to chats-1
    std::optional<Instant> last_chat_at;
    bool last_completed = true;         // false: upstream says that its last message still grows
    std::optional<Instant> maybe_since; // upstream does not say: when that message was sent
};
std::optional<Held> find_held(Reader& db, const ConversationId& id);

/// The ids of the held chats from an ordinal on, oldest first.
std::vector<ChatId> chat_ids_from(Reader& db, const ConversationId& id, std::int64_t ordinal);

/// The conversation's JSON as upstream sent it, its chats taken out, whatever waits.
std::optional<std::string> find_item(Reader& db, const ConversationId& id);

/// Conversations whose last chat time lies in [from, through); for a comparison with what upstream lists.
std::vector<ConversationId> ids_within(Reader& db, Span span);
/// How many there are, counted up to `most`.
std::int64_t count_within(Reader& db, Span span, std::int64_t most);
std::vector<ConversationId> ids_without_chat(Reader& db);

/// A message that still grows, by upstream's word.
struct GrowingChat {
    ConversationId conversation;
    std::int64_t ordinal = 0;
    bool is_last = true;                 // of what is held
    std::optional<Instant> last_chat_at; // the conversation's
};
/// The last ones of their conversations, and those that later ones follow where the last chat is younger than `since`.
std::vector<GrowingChat> load_growing(Reader& db, Instant since);

/// Stores the conversation itself, not its chats, unless it is suppressed. True when something changed.
bool put_conversation(Writer& db, const Conversation& conversation);

/// As put_chat_rows(). `asked_at`: not later than the request for the chats; none: not known.
std::int64_t put_chats(Writer& db, const ConversationId& id, std::int64_t first_ordinal, std::span<const Chat> chats,
                       std::optional<std::chrono::steady_clock::time_point> asked_at = {});

/// Removes the chats from an ordinal on: upstream has fewer now. True when there were any.
bool cut_chats(Writer& db, const ConversationId& id, std::int64_t first_ordinal);

/// Removes a conversation, its chats and upstream's copy of it. True when there was one.
bool erase_conversation(Writer& db, const ConversationId& id);

/// One conversation as upstream sends it alone: with its last 20 chats, oldest first.
std::optional<std::string> find_conversation(Reader& db, const ConversationId& id);

/// The chats of one page of 100, oldest first, each as JSON; none when the conversation is not mirrored.
std::optional<std::vector<std::string>> find_chats(Reader& db, const ConversationId& id, int page_no);

} // namespace alli::cache
