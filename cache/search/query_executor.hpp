// SPDX-License-Identifier: Apache-2.0
// Query executor: the chats and the conversations that match a parsed query, as posting iterators. Used within one
// read, on its thread; what is returned must not outlive the read or the query.
#pragma once

#include "cache/search/posting_iterator.hpp"
#include "cache/search/query_parser.hpp"

namespace alli::cache {

/// Chats by their pk. Results that are alive at the same time on a connection need different lanes.
Postings matching_chats(Reader& db, const ParsedQuery& parsed, int lane = 0);

/// Conversations by their pk: by words of title, user and memo; without any word those that have no chat and that the
/// filters leave. Null where none can match: the query asks something of chats, or names unwanted words alone.
Postings matching_conversations(Reader& db, const ParsedQuery& parsed, int lane = 0);

/// The expression of FTS5 whose BM25 score ranks the matches; empty: they have no score.
std::string relevance_of_chats(const ParsedQuery& parsed);
std::string relevance_of_conversations(const ParsedQuery& parsed);

} // namespace alli::cache
