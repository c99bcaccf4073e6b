// SPDX-License-Identifier: Apache-2.0
// Which conversations stand beside each other in a list by last chat time.
#pragma once

#include "alli/ids.hpp"
#include "alli/instant.hpp"
#include "cache/db/sqlite.hpp"

#include <vector>

namespace alli::cache {

struct Neighbour {
    ConversationId id;
    Instant last_chat_at;
};
enum class Side { older, newer };

/// A conversation, and those that follow it on one side, the nearest first: at most `limit` in all. Empty: it is not
/// held, or has no last chat time.
std::vector<Neighbour> find_neighbours(Reader& db, const ConversationId& id, Side side, int limit);

} // namespace alli::cache
