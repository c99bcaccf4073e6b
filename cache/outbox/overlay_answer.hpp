// SPDX-License-Identifier: Apache-2.0
// Applies pending edits to upstream's own responses: the same members that the mirror's rows show (overlay.hpp). Which
// conversations pass a filter is still decided by upstream. Any thread.
#pragma once

#include "alli/clock.hpp"
#include "alli/ids.hpp"
#include "cache/db/sqlite.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace alli::cache {

/// What a body of the contract holds.
enum class Shape { list, conversation, chats, chat };

/// Whether any write shows in reads.
bool has_edits(Reader& db);

struct EditedAnswer {
    bool removed = false;            // the deletion of the conversation is pending
    std::optional<std::string> body; // none: unchanged
};
/// `asked_at`: writes that a request of that time cannot lag behind (read_lag.hpp) are in the body already. `id` and
/// `chat` as far as the shape has them. What cannot be parsed stays unchanged.
EditedAnswer apply_edits(Reader& db, Shape shape, const ConversationId& id, const ChatId& chat, std::string_view body,
                         Clock::Steady asked_at);

} // namespace alli::cache
