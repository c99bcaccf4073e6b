// SPDX-License-Identifier: Apache-2.0
// Rows that match, as streams of rowids from the newest down: what one index says, and such streams joined. Nothing is
// worked out before it is asked for, so that the newest hits of a frequent word cost no more than those of a rare one.
// Used within one read, on its thread.
#pragma once

#include "cache/sqlite.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace alli::cache {

class Matches {
  public:
    virtual ~Matches() = default;

    /// The greatest match that is not above `bound`; none: there is no more. From call to call `bound` never rises.
    virtual std::optional<std::int64_t> at_most(std::int64_t bound) = 0;
};
using MatchesPtr = std::unique_ptr<Matches>;

/// Rows of a table of FTS5. One of a kind: `serial` is another one for each stream that is alive on the connection.
MatchesPtr match_words(Reader& db, std::string_view table, std::string expression, int serial);

/// All rows of a table with a key `pk`; `serial` as above.
MatchesPtr match_rows(Reader& db, std::string_view table, int serial);

MatchesPtr match_these(std::vector<std::int64_t> ascending);
MatchesPtr match_all(std::vector<MatchesPtr> of); // at least one
MatchesPtr match_any(std::vector<MatchesPtr> of); // of none: nothing
MatchesPtr match_without(MatchesPtr of, MatchesPtr without);
MatchesPtr match_where(MatchesPtr of, std::function<bool(std::int64_t)> holds);
MatchesPtr match_between(MatchesPtr of, std::int64_t low, std::int64_t high); // inclusive

} // namespace alli::cache
