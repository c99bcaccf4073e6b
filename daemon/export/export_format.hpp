// SPDX-License-Identifier: Apache-2.0
// The formats of `export`. A conversation is written in pieces: at most a page of its chats is in memory. Pure except
// for the sink.
#pragma once

#include "alli/zone.hpp"
#include "cache/lists/summaries.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace alli::daemon {

using Sink = std::function<void(std::string_view)>;

struct ExportFormat {
    std::string_view name;
    std::string_view head; // before all conversations
    bool takes_bom;        // spreadsheets in Korea and Japan take a file without one for their own encoding
    void (*write)(cache::Reader& db, const cache::Summary& summary, const Zone& zone, const Sink& sink); // its times
};

/// "jsonl", "csv" or "markdown"; none for another name.
const ExportFormat* find_export_format(std::string_view name);

/// A field of CSV (RFC 4180). A field that a spreadsheet would read as a formula gets a leading apostrophe, also after
/// characters that it may drop, and for full-width signs.
std::string csv_field(std::string_view text);

/// The Markdown head of a conversation, and one chat.
std::string markdown_head(const cache::Summary& summary);
std::string markdown_chat(const cache::ReadableChat& chat, const Zone& zone);

} // namespace alli::daemon
