// SPDX-License-Identifier: Apache-2.0
// What a verification found wrong.
#pragma once

#include <string>
#include <string_view>

namespace alli::cache {

/// How it is repaired. What is derived is made again from what it is derived from, while the program runs; a damaged
/// page or rows that contradict each other are left to the next start (docs/decisions/0025).
enum class Repair {
    replace,        // a damaged page: the next start sets the file aside
    refetch,        // rows of the mirror: the next start sets it aside, and it is fetched again
    reindex,        // an index of SQLite's own
    recount,        // counts of the mirror's rows
    rebuild_index,  // the search index
    recount_outbox, // the outbox's counts of its entries
};

struct Finding {
    std::string where; // mirror, outbox, rows, coverage, words
    std::string what;  // no text of a message, no id
    Repair repair = Repair::replace;

    bool needs_restart() const noexcept { return repair == Repair::replace || repair == Repair::refetch; }
};

/// The key of the problem that holds what the weekly verification found; one that finds nothing clears it.
inline constexpr std::string_view weekly_check = "the weekly check";

} // namespace alli::cache
