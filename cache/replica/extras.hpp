// SPDX-License-Identifier: Apache-2.0
// What is known of a conversation or a chat beside what lists and pages show: variables that were asked for, and the
// detail of a chat. Each as a text that is read here alone; empty: nothing is known.
#pragma once

#include "alli/ids.hpp"
#include "cache/db/writer.hpp"

#include <map>
#include <string>

namespace alli::cache {

std::string load_variables(Reader& db, std::int64_t pk);
/// By ordinal, from one on.
std::map<std::int64_t, std::string> load_details(Reader& db, std::int64_t pk, std::int64_t from);

/// Makes what is known that. Nothing happens where the row is not there.
void put_variables(Writer& db, const ConversationId& id, const std::string& text);
void put_detail(Writer& db, std::int64_t pk, std::int64_t ordinal, const std::string& text);

} // namespace alli::cache
