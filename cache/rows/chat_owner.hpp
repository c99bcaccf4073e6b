// SPDX-License-Identifier: Apache-2.0
// Whose a page of chats is, as far as the mirror knows: an answer to another request holds another conversation's.
#pragma once

#include "alli/chat.hpp"
#include "alli/ids.hpp"
#include "cache/db/sqlite.hpp"

#include <span>

namespace alli::cache {

/// Whether the mirror holds one of these chats, sent at the same time, under another conversation and not under this
/// one. Looks at the first, the middle and the last: an answer is another's as a whole.
bool is_known_elsewhere(Reader& db, const ConversationId& id, std::span<const Chat> chats);

} // namespace alli::cache
