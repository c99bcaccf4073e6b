// SPDX-License-Identifier: Apache-2.0
// The rows that the overlay consists of: edits, and upstream's copies of what they change. For the overlay alone.
#pragma once

#include "alli/clock.hpp"
#include "alli/conversation.hpp"
#include "cache/db/writer.hpp"
#include "cache/rows/edit.hpp"

#include <optional>
#include <string>
#include <vector>

namespace alli::cache {

/// Times as the rows store them.
std::int64_t ticks(Clock::Steady when);
Clock::Steady from_ticks(std::int64_t ticks);

struct EditRow {
    std::int64_t entry = 0;
    std::optional<std::string> chat;
    bool removes = false;
    std::optional<std::int64_t> confirmed_at, lags_until; // ticks; none: pending
    Patch patch;
    std::string before; // write_before(); empty: not known
};
std::vector<EditRow> load_edits(Connection& db, const ConversationId& id); // in the order in which they apply

/// `chat` empty: the conversation itself.
std::optional<std::string> find_upstream_raw(Connection& db, const ConversationId& id, const std::string& chat);
void put_upstream_raw(Writer& db, const ConversationId& id, const std::string& chat, const std::string& raw);
void drop_upstream_raw(Writer& db, const ConversationId& id, const std::string& chat);

/// `raw` with the pending edits of one chat (empty: of the conversation itself).
std::string with_waiting(std::string raw, const std::vector<EditRow>& edits, const std::string& chat);

bool removes(const std::vector<EditRow>& edits);
bool changes(const std::vector<EditRow>& edits, const std::string& chat);

/// Parsed in the mirror's unit of time, under the ids that they are held with, which may be synthetic.
Conversation reread_conversation(Connection& db, const ConversationId& id, std::string raw);
Chat reread_chat(Connection& db, const ChatId& id, std::string raw);

} // namespace alli::cache
