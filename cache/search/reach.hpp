// SPDX-License-Identifier: Apache-2.0
// How far the indexes of words and of facts reach: while one is made anew, what it does not hold yet is found by
// nobody.
#pragma once

#include "cache/db/sqlite.hpp"
#include "cache/search/search_query.hpp"

namespace alli::cache {

IndexReach load_reach(Reader& db, const Filters& filters);

/// For answers that do not say how far that is: whether they are whole as far as this query looks at them.
bool reaches_all(Reader& db, const ParsedQuery& parsed);

} // namespace alli::cache
