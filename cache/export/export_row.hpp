// SPDX-License-Identifier: Apache-2.0
// What a table tells of a conversation and of each of its chats: DESIGN's columns, read off upstream's JSON whatever it
// holds. Several values of a field are parted by "; ".
#pragma once

#include "cache/lists/summaries.hpp"

#include <optional>
#include <string>

namespace alli::cache {

struct ConversationRow {
    std::string id, title, user_id, user_name, app_id, app_name, categories, state, assignee, channel;
    std::optional<Instant> created_at, last_chat_at;
    std::int64_t chats = 0; // held
    std::string raw;        // a list item without its chats
};
std::optional<ConversationRow> find_conversation_row(Reader& db, const ConversationId& id);

/// Those behind the key `after` (0: from the start), in the order of keys; the last one's key is written to `after`.
std::vector<ConversationRow> load_conversation_rows(Reader& db, std::int64_t& after, int limit);

struct ChatRow {
    std::string rating, agent_rating; // good, bad or empty
    std::string feedback_selection, suggested_answer, citations;
};
ChatRow read_chat_row(std::string_view raw_chat);

} // namespace alli::cache
