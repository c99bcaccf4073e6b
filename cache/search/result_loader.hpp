// SPDX-License-Identifier: Apache-2.0
// Result loader: a matching row with what the result shows of it. Used within one read, on its thread.
#pragma once

#include "cache/db/sqlite.hpp"
#include "cache/search/query_parser.hpp"
#include "cache/search/search_query.hpp"

namespace alli::cache {

/// A page ends where its hits hold so many bytes, whatever the limit: with their context they may be whole messages.
inline constexpr std::size_t largest_search_page = std::size_t{8} << 20;

/// `pk` of a chat. None: it was removed while the index was rebuilt.
std::optional<SearchHit> load_chat_hit(Reader& db, std::int64_t pk, const std::vector<Phrase>& wanted, int context);

/// `pk` of a conversation.
std::optional<SearchHit> load_title_hit(Reader& db, std::int64_t pk, const std::vector<Phrase>& wanted);

} // namespace alli::cache
