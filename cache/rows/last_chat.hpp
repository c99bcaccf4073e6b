// SPDX-License-Identifier: Apache-2.0
// What the last messages that are held of a conversation say of whether an app still works on it.
#pragma once

#include "alli/ids.hpp"
#include "alli/instant.hpp"
#include "cache/db/sqlite.hpp"

#include <cstdint>

namespace alli::cache {

/// Whether one of its messages still grows, as far as upstream said, and its last chat is younger than that.
bool is_streaming(Reader& db, std::int64_t pk, Instant since);

/// Whether one of its messages, from that ordinal on, still grows as far as upstream said.
bool has_incomplete(Reader& db, const ConversationId& id, std::int64_t from);

/// Whether the last that is held of it is a person's: no answer yet.
bool ends_with_question(Reader& db, const ConversationId& id);

} // namespace alli::cache
