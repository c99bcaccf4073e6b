// SPDX-License-Identifier: Apache-2.0
// The facts of chats and conversations (cache/text/facts.hpp) in and beside their rows: written with each row, and for
// rows of an older version of the program in small steps, newest first.
#pragma once

#include "cache/db/writer.hpp"

#include <optional>
#include <string_view>

namespace alli::cache {

void put_conversation_facts(Writer& db, std::int64_t conversation, std::string_view raw_conversation);

/// getChat told more of a chat than its page did.
void note_steps(Writer& db, std::int64_t chat, std::string_view raw_detail);

/// Chats below this key may lack their facts; none: all have them, and all conversations too.
std::optional<std::int64_t> find_fact_bound(Reader& db);

/// Another piece of what is lacking, a few milliseconds' worth; false: nothing is.
bool extend_facts(Writer& db);

} // namespace alli::cache
