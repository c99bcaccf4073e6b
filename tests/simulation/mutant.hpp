// SPDX-License-Identifier: Apache-2.0
// Faults that the simulation plants into the engine to see whether it would notice: mutants.cmake writes them into
// copies of the sources that have the decisions, for the simulation's own build of the room.
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

inline Mutant planted_mutant = Mutant::none;

inline bool is_planted(Mutant mutant)
{
    return planted_mutant == mutant;
}

} // namespace alli::sync
