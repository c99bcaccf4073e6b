// SPDX-License-Identifier: Apache-2.0
// For which last chat times the mirror is complete, and as of when. Only the engine certifies; everything that claims
// completeness asks here. Times are microseconds since 1970, intervals are half open.
#pragma once

#include "cache/sqlite.hpp"

#include <optional>
#include <vector>

namespace alli::cache {

struct Progress;

struct Span {
    Instant from, through; // [from, through)
    bool operator==(const Span&) const = default;
};

/// Every conversation whose last chat time lies in it is mirrored whole, as of `verified_at` (our clock).
struct Interval {
    Instant from, through;
    Instant verified_at;
};

inline constexpr Instant beginning_of_time{}; // 1970-01-01: complete from here means complete

/// Certifies an interval in the place of what was said of it before. Neighbours verified within `together` of each
/// other are joined, with the older of both times. What a problem stands for (cache/problems.hpp) stays out.
void cover(Writer& db, Interval interval, std::chrono::microseconds together = std::chrono::hours(1));

/// Takes a certificate back.
void uncover(Writer& db, Span span);

/// Oldest first, apart from each other or verified at different times.
std::vector<Interval> load_coverage(Reader& db);

/// What is not covered of [from, through), newest first.
std::vector<Span> load_gaps(Reader& db, Span whole);

/// Whether all of [from, through) is covered; `through` none: up to the newest that is known.
bool is_covered(Reader& db, Instant from, std::optional<Instant> through);

/// The lowest time from which on all below `through` is covered (none: up to the newest that is known); where nothing
/// just below `through` is, that is `through` itself. None where not even what lies above the newest may be claimed.
std::optional<Instant> find_floor(Reader& db, const Progress& progress, std::optional<Instant> through);

/// What the proxy may claim about the whole list: everything covered, chatless ones too.
bool is_complete(Reader& db);

/// What may be said of the mirror as a whole: the newest stretch of time for which it is complete.
struct Covered {
    bool complete = false; // everything
    std::optional<Instant> from, through;
};
Covered load_covered(Reader& db);

} // namespace alli::cache
