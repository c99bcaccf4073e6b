// SPDX-License-Identifier: Apache-2.0
// The formats of an export. A conversation is written in pieces: at most a page of its chats is in memory.
#pragma once

#include "alli/zone.hpp"
#include "cache/lists/summaries.hpp"

#include <string>
#include <string_view>

namespace alli::cache {

struct ExportStyle {
    Zone zone;              // of the times that are written
    bool mask = false;      // cache/text/mask.hpp
    bool deletions = false; // what was deleted is written too: in CSV a column says so
};

/// How a conversation begins, and what stands before and behind each of its chats.
struct ExportHead {
    std::string text, repeated;
    std::string_view behind = {};
};

struct ExportFormat {
    std::string_view name, media_type;
    std::string_view head; // before all conversations
    std::string_view end;  // of each conversation
    bool takes_bom;        // spreadsheets in Korea and Japan take a file without one for their own encoding
    ExportHead (*begin)(Reader& db, const Summary& summary, const ExportStyle& style);
    std::string (*write)(const ExportHead& head, const ReadableChat& chat, std::int64_t ordinal, const Zone& zone);
    std::string (*write_deleted)(const ConversationId& id, const ExportStyle& style); // null: it cannot be said
};

/// Before all conversations.
std::string head_of(const ExportFormat& format, const ExportStyle& style);

inline constexpr std::int64_t chats_a_piece = 100;

/// Appends the chats of a conversation from an ordinal on, at most a piece of them; false: there are no more.
bool write_chats(Reader& db, const ExportFormat& format, const ExportHead& head, const ConversationId& id,
                 std::int64_t first, const ExportStyle& style, std::string& out);

/// "jsonl", "csv" or "markdown"; none for another name.
const ExportFormat* find_export_format(std::string_view name);

/// A field of CSV (RFC 4180). A field that a spreadsheet would read as a formula gets a leading apostrophe, also after
/// characters that it may drop, and for full-width signs.
std::string csv_field(std::string_view text);

/// The Markdown head of a conversation, and one chat.
std::string markdown_head(const Summary& summary);
std::string markdown_chat(const ReadableChat& chat, const Zone& zone);

} // namespace alli::cache
