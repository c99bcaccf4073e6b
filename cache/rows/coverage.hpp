// SPDX-License-Identifier: Apache-2.0
// Coverage: for which last chat times the mirror is complete, and when that was verified. Only the engine marks
// intervals as verified; everything that claims completeness asks here. Times are microseconds since 1970, intervals
// half open.
#pragma once

#include "alli/intervals.hpp"
#include "cache/db/writer.hpp"

#include <optional>
#include <vector>

namespace alli::cache {

struct Progress;

using alli::Span;

/// Every conversation whose last chat time lies in it is mirrored whole, as of `verified_at` (our clock).
struct Interval {
    Instant from, through;
    Instant verified_at;
};

inline constexpr Instant beginning_of_time{}; // 1970-01-01: complete from here means complete

/// Marks an interval as verified, replacing what was recorded for it. Neighbours verified within `together` of each
/// other are joined, with the older of both times. What load_unreadable() returns stays out.
void cover(Writer& db, Interval interval, std::chrono::microseconds together = std::chrono::hours(1));

/// The span is no longer verified.
void uncover(Writer& db, Span span);

/// Oldest first; intervals that touch were verified at different times.
std::vector<Interval> load_coverage(Reader& db);

/// Last chat times that a problem keeps from being complete (cache/rows/problems.hpp).
std::vector<Span> load_unreadable(Connection& db);

/// What is not covered of [from, through), newest first.
std::vector<Span> load_gaps(Reader& db, Span whole);

/// Whether all of [from, through) is covered; `through` none: up to the newest that is known.
bool is_covered(Reader& db, Instant from, std::optional<Instant> through);

/// The lowest time from which everything up to `through` is covered (none: up to the newest that is known); `through`
/// itself where nothing just below it is covered. None where completeness cannot be claimed even above the newest.
std::optional<Instant> find_floor(Reader& db, const Progress& progress, std::optional<Instant> through);

/// Whether the whole list is complete, conversations without a chat included.
bool is_complete(Reader& db);

/// Completeness of the mirror as a whole: the newest span of time for which it is complete.
struct Covered {
    bool complete = false; // everything
    std::optional<Instant> from, through;
};
Covered load_covered(Reader& db);

} // namespace alli::cache
