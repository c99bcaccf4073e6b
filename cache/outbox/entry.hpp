// SPDX-License-Identifier: Apache-2.0
// An entry of the outbox as it is stored, and one list of columns for all that read one.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/writer.hpp"
#include "cache/rows/edit.hpp"

#include <optional>
#include <string>
#include <string_view>

#define ALLI_ENTRY_COLUMNS                                                                                             \
    "id, place, kind, state, conversation, chat, method, path, headers, upstream_key, base, conflict, last_error, "    \
    "last_status, attempts, created_at, next_attempt_at, unclear, forced, response_type"

namespace alli::cache {

enum class EntryState { pending, sending, conflict, failed, delivered };
std::string_view name_of(EntryState state) noexcept;
std::optional<EntryState> find_entry_state(std::string_view name) noexcept;

struct Entry {
    std::int64_t id = 0, place = 0;
    EditKind kind = EditKind::update;
    EntryState state = EntryState::pending;
    std::optional<ConversationId> conversation;
    std::optional<ChatId> chat;
    std::string method, path, headers, body, upstream_key;
    // base: the members it sets, as upstream had them; of a bulk update those of a few conversations, by id, while it
    // is not known whether it was applied.
    std::optional<std::string> base, conflict, response, response_type, last_error;
    std::optional<int> last_status;
    int attempts = 0;
    Instant created_at;
    std::optional<Instant> next_attempt_at;
    bool in_doubt = false, forced = false;
};

Entry read_entry(const Row& row);       // ALLI_ENTRY_COLUMNS
Entry read_whole_entry(const Row& row); // those, then body and response

} // namespace alli::cache
