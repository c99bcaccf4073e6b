// SPDX-License-Identifier: Apache-2.0
// One conversation as `export` writes it, piece by piece: whole in memory is never more than a page of its chats. Pure
// but for the sink.
#pragma once

#include "alli/zone.hpp"
#include "cache/summaries.hpp"

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

/// A field of CSV (RFC 4180). One that a spreadsheet would take for a formula gets an apostrophe in front: whatever it
/// may drop in front of a sign of one, the full-width signs too.
std::string csv_field(std::string_view text);

/// A conversation in Markdown: what stands before its chats, and one of them.
std::string markdown_head(const cache::Summary& summary);
std::string markdown_chat(const cache::ReadableChat& chat, const Zone& zone);

} // namespace alli::daemon
