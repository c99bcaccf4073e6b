// SPDX-License-Identifier: Apache-2.0
// The filters that ask what a chat has beside its message: ratings, feedback, citations, steps.
#pragma once

#include "cache/search/posting_iterator.hpp"
#include "cache/search/query_parser.hpp"

namespace alli::cache {

/// Those of `chats` that hold what the filters ask. Rated chats are few and found by an index; what many have is
/// looked up of each. `lane` as in matching_chats().
Postings filter_marks(Reader& db, const Filters& filters, Postings chats, int lane);

} // namespace alli::cache
