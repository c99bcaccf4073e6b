// SPDX-License-Identifier: Apache-2.0
// Full text over the mirrored chats, and over titles, users and memos (FTS5). A query never fails: what does not parse
// is searched as words (cache/search/query_parser.hpp). May take long over a large mirror: use Store::read_long.
#pragma once

#include "cache/db/sqlite.hpp"
#include "cache/search/search_query.hpp"

namespace alli::cache {

/// The text of a query with the filters beside it and the view.
ParsedQuery parse_query(const SearchQuery& query);

/// Throws Error{usage} for a cursor that is not of this query.
SearchResult search(Reader& db, const SearchQuery& query);

} // namespace alli::cache
