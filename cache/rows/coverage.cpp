// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/coverage.hpp"

#include "cache/rows/progress.hpp"
#include "cache/rows/suppression_list.hpp"

#include <algorithm>

namespace alli::cache {
namespace {

Interval read_interval(const Row& row) // from_at, through_at, verified_at
{
    return {row.get<Instant>(0), row.get<Instant>(1), row.get<Instant>(2)};
}

Span read_span(const Row& row) // from_at, through_at
{
    return {row.get<Instant>(0), row.get<Instant>(1)};
}

std::vector<Interval> load_touching(Connection& db, Span span)
{
    return db.all(&read_interval,
                  "SELECT from_at, through_at, verified_at FROM coverage WHERE from_at <= ?1 AND through_at >= ?2",
                  span.through, span.from);
}

// Whenever its parts were verified.
IntervalSet load_covered_times(Connection& db)
{
    return IntervalSet(db.all(&read_span, "SELECT from_at, through_at FROM coverage ORDER BY from_at"));
}

void insert(Writer& db, const Interval& interval)
{
    if (interval.from >= interval.through) return;
    db.run("INSERT INTO coverage (from_at, through_at, verified_at) VALUES (?1, ?2, ?3)", interval.from,
           interval.through, interval.verified_at);
}

// What an interval has outside the span stays as it was.
void carve(Writer& db, Span span)
{
    for (const Interval& old : load_touching(db, span)) {
        const Span whole{old.from, old.through};
        if (!whole.overlaps(span)) continue;
        db.run("DELETE FROM coverage WHERE from_at = ?1", old.from);
        for (const Span& part : whole.without(span)) insert(db, {part.from, part.through, old.verified_at});
    }
}

void join_neighbours(Writer& db, Interval interval, std::chrono::microseconds together)
{
    for (const Interval& other : load_touching(db, {interval.from, interval.through})) {
        if (std::chrono::abs(other.verified_at - interval.verified_at) >= together) continue;
        db.run("DELETE FROM coverage WHERE from_at = ?1", other.from);
        interval.from = std::min(interval.from, other.from);
        interval.through = std::max(interval.through, other.through);
        interval.verified_at = std::min(interval.verified_at, other.verified_at);
    }
    insert(db, interval);
}

// Whether all that was complete still is, and what lies above the newest interval is what it was (is_covered).
bool only_grew(const IntervalSet& before, const IntervalSet& after)
{
    if (before.empty()) return true;
    if (after.empty() || after.spans().back().from > before.spans().back().from) return false;
    return after.contains(before);
}

// Responses built from the coverage are stale where it shrinks.
template <class F>
void change(Writer& db, F work)
{
    if (db.change_set().any_list()) return work();
    const IntervalSet before = load_covered_times(db);
    work();
    if (!only_grew(before, load_covered_times(db))) db.change_set().lists();
}

} // namespace

void cover(Writer& db, Interval interval, std::chrono::microseconds together)
{
    if (interval.from >= interval.through) return;
    change(db, [&] {
        carve(db, {interval.from, interval.through});
        join_neighbours(db, interval, together);
        for (const Span& unreadable : load_unreadable(db)) carve(db, unreadable);
        if (const auto horizon = find_horizon(db)) carve(db, {Instant::min(), *horizon}); // nothing is kept there
    });
}

void uncover(Writer& db, Span span)
{
    if (span.from < span.through) change(db, [&] { carve(db, span); });
}

std::vector<Interval> load_coverage(Reader& db)
{
    return db.all(&read_interval, "SELECT from_at, through_at, verified_at FROM coverage ORDER BY from_at");
}

std::vector<Span> load_unreadable(Connection& db)
{
    return db.all(&read_span, "SELECT from_at, through_at FROM problem WHERE from_at IS NOT NULL");
}

std::vector<Span> load_gaps(Reader& db, Span whole)
{
    auto gaps = load_covered_times(db).gaps(whole);
    std::reverse(gaps.begin(), gaps.end());
    return gaps;
}

std::optional<Instant> find_floor(Reader& db, const Progress& progress, std::optional<Instant> through)
{
    const auto covered = load_covered_times(db).spans();
    if (covered.empty()) return std::nullopt;
    // Above the boundary lies what the next increment brings; Age tells how old that may be. What is missing just below
    // the boundary could not be read, and then no increment verifies what lies above it either.
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
    const auto intervals = load_covered_times(db).spans();
    if (intervals.empty()) return covered;
    covered.from = intervals.back().from;
    covered.through = intervals.back().through;
    return covered;
}

} // namespace alli::cache
