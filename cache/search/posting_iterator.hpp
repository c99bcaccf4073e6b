// SPDX-License-Identifier: Apache-2.0
// Posting lists as lazy iterators over rowids, newest first, and their combinations (and, or, not). Nothing is computed
// before it is asked for, so that the newest hits of a frequent word cost no more than those of a rare one. Used within
// one read, on its thread.
#pragma once

#include "cache/db/sqlite.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace alli::cache {

class PostingIterator {
  public:
    virtual ~PostingIterator() = default;

    /// The greatest match that is not above `bound`; none: there are no more. `bound` must not rise between calls.
    virtual std::optional<std::int64_t> seek(std::int64_t bound) = 0;
};
using Postings = std::unique_ptr<PostingIterator>;

/// Rows that an expression matches in a table of FTS5. `serial` must differ among the iterators that are alive on the
/// connection, because each needs a statement of its own.
Postings match_words(Reader& db, std::string_view table, std::string expression, int serial);

/// All rows of a table with a key `pk`; `serial` likewise.
Postings match_rows(Reader& db, std::string_view table, int serial);

/// The first column of a statement's rows, at most ?1 and descending.
Postings match_statement(Reader& db, std::string_view sql, int serial);

Postings match_these(std::vector<std::int64_t> ascending);
Postings match_all(std::vector<Postings> of); // at least one
Postings match_any(std::vector<Postings> of); // of none: nothing
Postings match_without(Postings of, Postings without);
Postings match_where(Postings of, std::function<bool(std::int64_t)> holds);
Postings match_between(Postings of, std::int64_t low, std::int64_t high); // inclusive

} // namespace alli::cache
