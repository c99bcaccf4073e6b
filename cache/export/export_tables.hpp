// SPDX-License-Identifier: Apache-2.0
// The tables of an exported SQLite file (cache/export/views.hpp), and where an export that goes on later left off.
// Each function works inside a transaction of the caller's. One thread.
#pragma once

#include "cache/export/views.hpp"

#include <optional>
#include <string>

namespace alli::cache {

/// Of what an export was made, and how far it came.
struct ExportState {
    std::string mirror;        // the service that it mirrors
    std::string what;          // filters and format, as they were asked for
    std::int64_t position = 0; // in the change feed
};
/// As of now, before anything is read.
ExportState export_state(Reader& db, std::string what);

void create_tables(Connection& file);
/// With all its messages, in the place of what is there of it. False: the mirror has none of that id, nor has the file
/// now.
bool put_conversation_tables(Connection& file, Reader& db, const ConversationId& id, bool mask);
/// True: there was one.
bool remove_conversation_tables(Connection& file, const ConversationId& id);

void put_export_state(Connection& file, const ExportState& state);
/// None: it is no export, or of another version of the views.
std::optional<ExportState> find_export_state(Connection& file);

} // namespace alli::cache
