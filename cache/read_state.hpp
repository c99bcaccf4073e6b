// SPDX-License-Identifier: Apache-2.0
// What a read of one conversation has to know beside what it shows, in one statement.
#pragma once

#include "alli/ids.hpp"
#include "alli/instant.hpp"
#include "cache/db/sqlite.hpp"

#include <optional>

namespace alli::cache {

struct ReadState {
    std::optional<std::int64_t> pk; // none: it has no row
    bool streaming = false;         // one of its messages still grows, and its last chat is younger than `since`
    bool unreadable = false;        // the engine could not read all of it
};
ReadState load_read_state(Reader& db, const ConversationId& id, Instant since);

} // namespace alli::cache
