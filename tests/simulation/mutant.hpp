// SPDX-License-Identifier: Apache-2.0
// Faults that the simulation plants into the engine to see whether it would notice. Only the simulation's own build of
// this room has them; everywhere else the question costs nothing and the answer is no.
#pragma once

namespace alli::sync {

enum class Mutant {
    none,
    boundary_from_data,   // the newest last chat time seen, not the start of the pass
    no_overlap,           // increments ask from the boundary itself
    exclusive_edge,       // the next page begins just below the last one seen
    cursor_before_commit, // progress is kept before the rows are
    absence_is_deletion,  // what a list lacks is gone, unasked
    error_swallowed,      // a page that could not be had counts as read
};

#ifdef ALLI_MUTANTS
inline Mutant planted_mutant = Mutant::none;
inline bool is_planted(Mutant mutant)
{
    return planted_mutant == mutant;
}
#else
constexpr bool is_planted(Mutant)
{
    return false;
}
#endif

} // namespace alli::sync
