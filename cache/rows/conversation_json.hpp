// SPDX-License-Identifier: Apache-2.0
// A conversation as upstream sends it: its raw JSON with the most recent chats put back where they were taken out.
// Bytes are copied once, from SQLite's page into the answer; nothing is parsed.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/sqlite.hpp"

#include <string>

namespace alli::cache {

/// Appends. `row` holds pk, raw, chats_at and held as its first columns. The last `embedded` chats, oldest first.
void append_conversation(Reader& db, const Row& row, std::int64_t embedded, std::string& out);

/// The same as upstream sends one alone: with its last 20 chats, wherever the mirror has it from.
void append_single(Reader& db, const Row& row, std::string& out);

/// Appends the chats of a conversation from an ordinal up to another, joined by commas.
void append_chats(Reader& db, std::int64_t conversation, std::int64_t from, std::int64_t to, std::string& out);

/// A page of 100 chats as upstream sends it; none when the conversation is not mirrored.
std::optional<std::string> find_chat_page(Reader& db, const ConversationId& id, int page_no);

} // namespace alli::cache
