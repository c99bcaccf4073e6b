// SPDX-License-Identifier: Apache-2.0
#include "cache/coverage.hpp"

#include "cache/problems.hpp"
#include "cache/progress.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

std::vector<Interval> load(Connection& db)
{
    std::vector<Interval> intervals;
    for (const Row row : db.query("SELECT from_at, through_at, verified_at FROM coverage ORDER BY from_at"))
        intervals.push_back({*row.optional_instant(0), *row.optional_instant(1), *row.optional_instant(2)});
    return intervals;
}

std::vector<Interval> touching(Connection& db, Span span)
{
    std::vector<Interval> intervals;
    for (const Row row :
         db.query("SELECT from_at, through_at, verified_at FROM coverage WHERE from_at <= ?1 AND through_at >= ?2",
                  span.through, span.from))
        intervals.push_back({*row.optional_instant(0), *row.optional_instant(1), *row.optional_instant(2)});
    return intervals;
}

void insert(Writer& db, const Interval& interval)
{
    if (interval.from >= interval.through) return;
    db.run("INSERT INTO coverage (from_at, through_at, verified_at) VALUES (?1, ?2, ?3)", interval.from,
           interval.through, interval.verified_at);
}

// What an interval has beside the span stays as it was.
void carve(Writer& db, Span span)
{
    for (const Interval& old : touching(db, span)) {
        if (old.through <= span.from || old.from >= span.through) continue;
        db.run("DELETE FROM coverage WHERE from_at = ?1", old.from);
        insert(db, {old.from, std::min(old.through, span.from), old.verified_at});
        insert(db, {std::max(old.from, span.through), old.through, old.verified_at});
    }
}

void join_neighbours(Writer& db, Interval interval, std::chrono::microseconds together)
{
    for (const Interval& other : touching(db, {interval.from, interval.through})) {
        if (std::chrono::abs(other.verified_at - interval.verified_at) >= together) continue;
        db.run("DELETE FROM coverage WHERE from_at = ?1", other.from);
        interval.from = std::min(interval.from, other.from);
        interval.through = std::max(interval.through, other.through);
        interval.verified_at = std::min(interval.verified_at, other.verified_at);
    }
    insert(db, interval);
}

// Touching ones as one, whenever they were verified.
std::vector<Span> stretches(const std::vector<Interval>& intervals)
{
    std::vector<Span> joined;
    for (const Interval& it : intervals) {
        if (!joined.empty() && joined.back().through >= it.from)
            joined.back().through = std::max(joined.back().through, it.through);
        else
            joined.push_back({it.from, it.through});
    }
    return joined;
}

// Whether all that was known to be complete still is, and what lies above the newest interval what it was (is_covered).
bool only_grew(const std::vector<Span>& before, const std::vector<Span>& after)
{
    if (before.empty()) return true;
    if (after.empty() || after.back().from > before.back().from) return false;
    return std::all_of(before.begin(), before.end(), [&](const Span& old) {
        return std::any_of(after.begin(), after.end(),
                           [&](const Span& it) { return it.from <= old.from && old.through <= it.through; });
    });
}

// What was told from the coverage before is out of date where it shrinks.
template <class F>
void change(Writer& db, F work)
{
    if (db.touched().any_list()) return work();
    const auto before = stretches(load(db));
    work();
    if (!only_grew(before, stretches(load(db)))) db.touched().lists();
}

} // namespace

void cover(Writer& db, Interval interval, std::chrono::microseconds together)
{
    if (interval.from >= interval.through) return;
    change(db, [&] {
        carve(db, {interval.from, interval.through});
        join_neighbours(db, interval, together);
        for (const Span& unreadable : load_unreadable(db)) carve(db, unreadable);
    });
}

void uncover(Writer& db, Span span)
{
    if (span.from < span.through) change(db, [&] { carve(db, span); });
}

std::vector<Interval> load_coverage(Reader& db)
{
    return load(db);
}

std::vector<Span> load_gaps(Reader& db, Span whole)
{
    std::vector<Span> gaps;
    Instant at = whole.from;
    for (const Span& covered : stretches(load(db))) {
        if (covered.through <= at) continue;
        if (covered.from >= whole.through) break;
        if (covered.from > at) gaps.push_back({at, covered.from});
        at = covered.through;
    }
    if (at < whole.through) gaps.push_back({at, whole.through});
    std::reverse(gaps.begin(), gaps.end());
    return gaps;
}

std::optional<Instant> find_floor(Reader& db, const Progress& progress, std::optional<Instant> through)
{
    const auto covered = stretches(load(db));
    if (covered.empty()) return std::nullopt;
    // Above the boundary lies what the next increment brings: how old that is, Age says. What is missing just below it
    // was passed by, and no increment certifies what lies above it either.
    const Instant top = std::max(covered.back().through, progress.boundary.value_or(Instant::min()));
    const Instant end = std::min(through.value_or(Instant::max()), top);
    const bool reaches_above = !through || *through > top;
    if (reaches_above && progress.boundary && !progress.verified_at) return std::nullopt; // no increment was there yet
    const auto around = std::find_if(covered.begin(), covered.end(),
                                     [&](const Span& it) { return it.from < end && end <= it.through; });
    if (around == covered.end() && reaches_above) return std::nullopt;
    Instant floor = around == covered.end() ? end : around->from;
    for (const Span& it : load_unreadable(db)) // one alone may stand up there: upstream's times run ahead of its Date
        if (it.through > top && it.from < through.value_or(Instant::max())) floor = std::max(floor, it.through);
    return floor;
}

bool is_covered(Reader& db, Instant from, std::optional<Instant> through)
{
    const auto floor = find_floor(db, load_progress(db), through);
    return floor && *floor <= from;
}

bool is_complete(Reader& db)
{
    return is_covered(db, beginning_of_time, std::nullopt) && load_progress(db).chatless_at.has_value();
}

Covered load_covered(Reader& db)
{
    Covered covered;
    covered.complete = is_complete(db);
    const auto intervals = stretches(load(db));
    if (intervals.empty()) return covered;
    covered.from = intervals.back().from;
    covered.through = intervals.back().through;
    return covered;
}

} // namespace alli::cache
