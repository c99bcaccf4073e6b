// SPDX-License-Identifier: Apache-2.0
// The figures of days (UTC), kept once they are counted until a row of the day changes (cache/chats/stale_days.hpp).
// What is not kept is counted from the rows, so that figures are always those of the rows.
#pragma once

#include "cache/insights/group_keys.hpp"

namespace alli::cache {

/// Figures of the rows of a range, counted.
std::string count_rollup(Reader& db, GroupKeys& keys, const TimeRange& range);

/// A rollup, of which a part counts.
struct RollupPart {
    std::string stored;
    Quarter from = Quarter::min(), to = Quarter::max(); // from is included, to is not

    bool is_whole() const { return from == Quarter::min() && to == Quarter::max(); }
    /// What has no time is in any.
    bool contains(const std::optional<Quarter>& quarter) const
    {
        return !quarter || (*quarter >= from && *quarter < to);
    }
};

/// Figures that are a range's together.
std::vector<RollupPart> load_rollups(Reader& db, GroupKeys& keys, const TimeRange& range);

/// Days whose figures are not kept.
std::int64_t count_stale_days(Reader& db);

/// Counts and keeps days that are not kept, the newest first: at most so many, and no more than a few milliseconds
/// take. How many they were; 0: there is none, or facts are still lacking.
std::int64_t extend_rollups(Writer& db, std::int64_t most);

} // namespace alli::cache
