// SPDX-License-Identifier: Apache-2.0
// The rows that the overlay is made of, read and written one by one. For the files of the overlay alone.
#pragma once

#include "cache/overlay.hpp"

namespace alli::cache {

struct EditRow {
    std::int64_t entry = 0;
    std::optional<std::string> chat;
    bool removes = false;
    std::optional<std::int64_t> confirmed_at; // of Clock::steady(); none: it waits
    Patch patch;
};
std::vector<EditRow> load_edits(Connection& db, const ConversationId& id); // in the order in which they apply

/// `chat` empty: the conversation itself.
std::optional<std::string> find_upstream_raw(Connection& db, const ConversationId& id, const std::string& chat);
void put_upstream_raw(Writer& db, const ConversationId& id, const std::string& chat, const std::string& raw);
void drop_upstream_raw(Writer& db, const ConversationId& id, const std::string& chat);

/// `raw` under the edits of one chat (empty: of the conversation itself); only those that are confirmed, or all.
enum class Which { confirmed, all };
std::string under_edits(std::string raw, const std::vector<EditRow>& edits, const std::string& chat, Which which);
bool removes(const std::vector<EditRow>& edits);
bool changes(const std::vector<EditRow>& edits, const std::string& chat);

/// In the unit that the mirror's times are in; under the ids that they are held with, which may be made up.
Conversation reread_conversation(Connection& db, const ConversationId& id, std::string raw);
Chat reread_chat(Connection& db, const ChatId& id, std::string raw);

/// Makes the mirror's rows of one conversation what upstream's copy and the edits make of it.
void show_effect(Writer& db, const ConversationId& id);
void show_effect_on_chat(Writer& db, const ConversationId& id, const std::string& chat);

} // namespace alli::cache
