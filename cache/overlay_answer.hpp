// SPDX-License-Identifier: Apache-2.0
// What waits, shown in what upstream itself answers: the same members that the mirror's own rows show (overlay.hpp).
// Which conversations a filter lets through is upstream's word all the same. Any thread.
#pragma once

#include "alli/clock.hpp"
#include "alli/ids.hpp"
#include "cache/sqlite.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace alli::cache {

/// What a body of the contract holds.
enum class Shape { list, conversation, chats, chat };

/// Whether any write shows at all.
bool has_edits(Reader& db);

struct UnderEdits {
    bool removed = false;            // the one that it tells of: its deletion waits
    std::optional<std::string> body; // none: as it is
};
/// `asked_at`: what cannot lag behind that (read_lag.hpp) is in the body already. `id` and `chat` as far as the shape
/// has them. What cannot be read stays as it is.
UnderEdits under_edits(Reader& db, Shape shape, const ConversationId& id, const ChatId& chat, std::string_view body,
                       Clock::Steady asked_at);

} // namespace alli::cache
