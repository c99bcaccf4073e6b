// SPDX-License-Identifier: Apache-2.0
// Where upstream puts conversations without a chat in an order by last chat time. The engine learns it from upstream's
// pages and writes it here; lists (cache/lists/list.hpp) follow it. Kept in the progress table of mirror.db.
#pragma once

#include "cache/db/writer.hpp"

namespace alli::cache {

enum class ChatlessPlace {
    unknown, // no page of upstream's has shown it yet
    first,   // before every conversation with a chat
    last,    // after every conversation with a chat
    nowhere  // such a list leaves them out
};

struct ChatlessPlaces {
    ChatlessPlace newest_first = ChatlessPlace::unknown; // LAST_CHAT_TIME_DESC, the default
    ChatlessPlace oldest_first = ChatlessPlace::unknown; // LAST_CHAT_TIME_ASC
    bool front_clear = false; // the last look at the beginning of the newest-first list showed none there
    bool operator==(const ChatlessPlaces&) const = default;
};

/// One query of at most three rows. A value that this version does not know is `unknown`.
ChatlessPlaces load_chatless_places(Reader& db);

/// Replaces both; `unknown` takes back what was said. Lists that were told from another place are out of date with this
/// commit. Only the engine calls it.
void save_chatless_places(Writer& db, const ChatlessPlaces& places);

} // namespace alli::cache
