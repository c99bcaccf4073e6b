// SPDX-License-Identifier: Apache-2.0
#include "cache/progress.hpp"

#include <algorithm>

namespace alli::cache {

void cover(Writer& db, Interval interval)
{
    if (interval.from >= interval.through) return;
    for (const Row row :
         db.query("SELECT from_at, through_at, verified_at FROM coverage WHERE from_at <= ?1 AND through_at >= ?2",
                  interval.through, interval.from)) {
        interval.from = std::min(interval.from, *row.optional_instant(0));
        interval.through = std::max(interval.through, *row.optional_instant(1));
        interval.verified_at = std::min(interval.verified_at, *row.optional_instant(2));
    }
    db.run("DELETE FROM coverage WHERE from_at >= ?1 AND through_at <= ?2", interval.from, interval.through);
    db.run("INSERT INTO coverage (from_at, through_at, verified_at) VALUES (?1, ?2, ?3)", interval.from,
           interval.through, interval.verified_at);
}

std::vector<Interval> load_coverage(Reader& db)
{
    std::vector<Interval> intervals;
    for (const Row row : db.query("SELECT from_at, through_at, verified_at FROM coverage ORDER BY from_at"))
        intervals.push_back({*row.optional_instant(0), *row.optional_instant(1), *row.optional_instant(2)});
    return intervals;
}

bool is_covered(Reader& db, Instant from, std::optional<Instant> through)
{
    const auto intervals = load_coverage(db);
    if (intervals.empty()) return false;
    // Above the newest interval lies what the next increment brings: how old that is, Age says.
    const Instant end = std::min(through.value_or(Instant::max()), intervals.back().through);
    if (from >= end) return from >= intervals.back().from;
    return std::any_of(intervals.begin(), intervals.end(),
                       [&](const Interval& it) { return it.from <= from && end <= it.through; });
}

bool is_complete(Reader& db)
{
    return is_covered(db, beginning_of_time, std::nullopt) && load_progress(db).chatless_at.has_value();
}

Covered load_covered(Reader& db)
{
    Covered covered;
    covered.complete = is_complete(db);
    const auto intervals = load_coverage(db); // oldest first, and apart from each other
    if (intervals.empty()) return covered;
    covered.from = intervals.back().from;
    covered.through = intervals.back().through;
    return covered;
}

} // namespace alli::cache
