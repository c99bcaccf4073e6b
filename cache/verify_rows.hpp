// SPDX-License-Identifier: Apache-2.0
// What the rows of a mirror say of each other: counts, chats and their texts, rows without parents, coverage. For
// verify.cpp alone.
#pragma once

#include "cache/verify.hpp"

namespace alli::cache {

/// Every conversation against its chats and their texts, some at a time.
class ChatCheck {
  public:
    bool step(Reader& db); // false: that was the end
    std::int64_t seen() const noexcept { return seen_; }
    std::vector<Finding> findings() const;

    /// Some of what was found: counts again, cuts where something is missing, and has that fetched again; false: that
    /// was all. What it cuts leaves the index of words wrong.
    bool mend(Writer& db);

  private:
    std::int64_t after_ = 0, seen_ = 0; // keys of conversations; how many
    std::int64_t miscounted_ = 0, torn_ = 0, stray_texts_ = 0;
    std::vector<std::int64_t> wrong_;
};

/// Rows without parents, some at a time; then coverage that contradicts itself, and the totals.
class TablesCheck {
  public:
    bool step(Reader& db); // false: that was the end
    const std::vector<Finding>& findings() const noexcept { return findings_; }

  private:
    std::size_t table_ = 0;               // of those whose rows have parents
    std::optional<std::int64_t> after_{}; // key of a parent, there
    std::int64_t orphans_ = 0;            // there
    std::vector<Finding> findings_;
};
void mend_tables(Writer& db);

/// The outbox's counts of its own entries.
std::vector<Finding> check_tally(Reader& outbox);
void mend_tally(Writer& outbox);

} // namespace alli::cache
