// SPDX-License-Identifier: Apache-2.0
// Conversations and chats for a person's eye: what `alli-mirror list` and `show` print.
#pragma once

#include "alli/ids.hpp"
#include "cache/sqlite.hpp"

#include <string>
#include <vector>

namespace alli::cache {

struct Summary {
    std::string id, title, user;
    std::optional<Instant> created_at, last_chat_at;
    std::int64_t chats = 0;
};
std::vector<Summary> list_summaries(Reader& db, int limit); // newest chat first

struct ReadableChat {
    std::string id, sender, text; // text: words a person reads, Draft.js reduced to its blocks
    std::optional<Instant> sent_at;
};
std::optional<Summary> find_summary(Reader& db, const ConversationId& id);
std::vector<ReadableChat> read_chats(Reader& db, const ConversationId& id);

} // namespace alli::cache
