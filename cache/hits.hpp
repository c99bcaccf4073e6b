// SPDX-License-Identifier: Apache-2.0
// A row that matched, as a person or a program is shown it. Used within one read, on its thread.
#pragma once

#include "cache/match.hpp"
#include "cache/search.hpp"

namespace alli::cache {

/// `pk` of a chat. None: it is gone, while the index was made anew.
std::optional<SearchHit> load_chat_hit(Reader& db, std::int64_t pk, const std::vector<Phrase>& wanted, int context);

/// `pk` of a conversation.
std::optional<SearchHit> load_title_hit(Reader& db, std::int64_t pk, const std::vector<Phrase>& wanted);

} // namespace alli::cache
