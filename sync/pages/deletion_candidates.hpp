// SPDX-License-Identifier: Apache-2.0
// Conversations that upstream says do not exist, more at once than is believed without a person's word: kept, and a
// problem that says how many.
#pragma once

#include "cache/deletions.hpp"

namespace alli::sync {

/// The problem, as many as there are now.
void note_deletion_candidates(cache::Writer& db, Instant now);

/// Clears candidates that upstream shows again. Made at the beginning of a commit, ended with it.
class CandidateClearing {
  public:
    explicit CandidateClearing(cache::Writer& db) : any_(cache::count_deletion_candidates(db) > 0) {}
    void shown(cache::Writer& db, const ConversationId& id)
    {
        changed_ |= any_ && cache::clear_deletion_candidate(db, id);
    }
    void end(cache::Writer& db, Instant now) const
    {
        if (changed_) note_deletion_candidates(db, now);
    }

  private:
    bool any_, changed_ = false;
};

} // namespace alli::sync
