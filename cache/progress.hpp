// SPDX-License-Identifier: Apache-2.0
// How far the mirror came: for which intervals of last chat time it is complete and as of when, where the passes stand,
// and what is wrong. Only the engine writes here; everything that claims completeness or freshness asks here.
#pragma once

#include "alli/instant.hpp"
#include "cache/sqlite.hpp"

#include <string>
#include <vector>

namespace alli::cache {

/// [from, through): every conversation whose last chat time lies in it is mirrored whole, as of `verified_at`.
struct Interval {
    Instant from, through;
    Instant verified_at;
};

inline constexpr Instant beginning_of_time{}; // 1970-01-01: complete from here means complete

/// Certifies an interval; joins what touches or overlaps, keeping the older `verified_at` where both are one now.
void cover(Writer& db, Interval interval);
std::vector<Interval> load_coverage(Reader& db);

/// Whether all of [from, through) is covered; `through` none: up to the newest that is known.
bool is_covered(Reader& db, Instant from, std::optional<Instant> through);

struct Progress {
    TimeUnit unit = TimeUnit::unknown;
    std::optional<Instant> boundary;       // increments ask from here less the overlap; in upstream's clock
    std::optional<Instant> backfill_bound; // the backfill goes on below here; none before it started
    bool backfill_done = false;
    std::optional<Instant>
        chatless_at; // our clock, when conversations without a chat were last looked for; none: never yet
    std::optional<Instant> verified_at; // our clock, when an increment was last committed: Age counts from it
    std::optional<int> list_embeds;     // how many chats upstream embeds in a list item, as far as seen
};
Progress load_progress(Reader& db);
void save_progress(Writer& db, const Progress& progress); // writes only the values that changed

/// What the proxy may claim about the whole list: everything covered, chatless ones too.
bool is_complete(Reader& db);

/// What may be said of the mirror as a whole: the newest stretch of time for which it is complete.
struct Covered {
    bool complete = false; // everything
    std::optional<Instant> from, through;
};
Covered load_covered(Reader& db);

/// Something that went wrong and has not been mended since: kept until the same `what` is cleared.
struct Problem {
    std::string what; // one sentence; no message text, no key
    std::string hint;
    Instant since;
};
void put_problem(Writer& db, std::string_view key, const Problem& problem); // keeps the first `since` of a key
bool clear_problem(Writer& db, std::string_view key);
std::vector<Problem> load_problems(Reader& db);

} // namespace alli::cache
