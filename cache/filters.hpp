// SPDX-License-Identifier: Apache-2.0
// The filters of a search as streams of rows. A user is meant by id or, where none has that id, by words of the name;
// an app or a category by id or name; senders by name. Names regardless of case and form.
#pragma once

#include "cache/match.hpp"
#include "cache/matches.hpp"

namespace alli::cache {

MatchesPtr filter_chats(Reader& db, const Filters& filters, MatchesPtr chats);
MatchesPtr filter_conversations(Reader& db, const Filters& filters, MatchesPtr conversations);

/// An expression asked of the index of conversations, old and new. `serial` as in match_words().
MatchesPtr match_conversations(Reader& db, const std::string& expression, int serial);

} // namespace alli::cache
