// SPDX-License-Identifier: Apache-2.0
// Consistency of the mirror's rows: counts, chats and their texts, rows without parents, coverage. For verify.cpp
// alone.
#pragma once

#include "cache/db/writer.hpp"
#include "cache/upkeep/finding.hpp"

namespace alli::cache {

/// Every conversation against its chats and their texts, some at a time.
class ChatCheck {
  public:
    bool step(Reader& db); // false: that was the end
    std::int64_t seen() const noexcept { return seen_; }
    std::vector<Finding> findings() const;

    /// Counts again what was found counted wrongly, and the totals.
    void repair_counts(Writer& db);

  private:
    std::int64_t after_ = 0, seen_ = 0; // keys of conversations; how many
    std::int64_t torn_ = 0, unreadable_ = 0, stray_texts_ = 0;
    std::vector<std::int64_t> miscounts_; // keys of conversations
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

/// The outbox's counts of its own entries.
std::vector<Finding> check_tally(Reader& outbox);
void repair_tally(Writer& outbox);

} // namespace alli::cache
