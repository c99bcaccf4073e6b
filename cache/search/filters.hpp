// SPDX-License-Identifier: Apache-2.0
// The filters of a search as streams of rows. A user is meant by id or, where none in view has that id, by words of the
// name; an app or a category by id or name; states, assignees, channels and senders by name. Names regardless of case
// and form.
#pragma once

#include "cache/search/posting_iterator.hpp"
#include "cache/search/query_parser.hpp"

namespace alli::cache {

Postings filter_chats(Reader& db, const Filters& filters, Postings chats, int lane);
Postings filter_conversations(Reader& db, const Filters& filters, Postings conversations);

/// Conversations without a chat that filters of conversations leave: no chat stands for them. Null where a filter asks
/// something of chats, or of their times.
Postings filter_chatless(Reader& db, const Filters& filters);

/// Conversations of users with these words in their names.
Postings match_user_name(Reader& db, const std::string& name);

/// The names among the filters that no conversation bears, with those that some bear. Of a narrowed view none: what is
/// out of view must not show.
std::vector<UnknownFilter> find_unknown_names(Reader& db, const Filters& filters);

/// Conversations that an expression of FTS5 matches. `serial` as in match_words().
Postings match_conversations(Reader& db, const std::string& expression, int serial);

} // namespace alli::cache
