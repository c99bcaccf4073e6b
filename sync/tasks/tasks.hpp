// SPDX-License-Identifier: Apache-2.0
// The tasks of the engine, as functions. Each commits page by page and can be stopped anywhere: what is committed
// stands, what is marked verified is complete, and the next run continues from there.
#pragma once

#include "cache/conversations.hpp"
#include "sync/pages/context.hpp"
#include "sync/tasks/sightings.hpp"

#include <vector>

namespace alli::sync {

/// How a comparison treats what upstream lacks.
struct Deletions {
    bool accepted = false; // a person has said so: however many
    int most = 10;         // at once, or a tenth of the mirror
};

/// What the first page of the newest-first list showed, asked for without a window.
struct Front {
    Sightings sightings{true};
    std::vector<ConversationId> chatless;
    bool whole = false; // there is no other page
    Instant asked_at;   // by our clock: what came later is not in it
};

// Backfill: the gaps of the coverage between `since` and the increments' boundary, the newest first.
bool backfill_due(SyncContext context, Instant since);
/// The first page of all, which sets the boundary. None when there is one already, or a window was asked for.
Task<std::optional<Front>> begin_backfill(SyncContext context, Instant since, Deletions deletions);
Task<> backfill(SyncContext context, Instant since, Deletions deletions);

/// Tries once more to list a range of last chat times that could not be listed.
Task<> retry_window(SyncContext context, cache::Problem problem, Deletions deletions);

/// What a poll brought.
struct Increase {
    bool news = false;
    bool whole = false;    // nothing was passed by: the mirror is verified as of its start
    bool left_gap = false; // more changed than a poll commits at once: the backfill reads the rest
};

/// What changed since the boundary, less the overlap, in one commit: no list shows the newest of it without what
/// changed before. Where that is more than some pages, the newest of them are committed, and what lies below becomes a
/// gap of the coverage. The boundary moves to the start of this pass, by the earlier of upstream's clock and ours, in
/// that commit and never before; `verified_at` with it where the pass is whole.
Task<Increase> increment(SyncContext context, Deletions deletions);

// Single conversations: what is wrong with one alone is kept as its problem, and the others follow; what concerns all
// is thrown.

/// The messages that upstream is still writing and that no list shows any more.
Task<> read_growing(SyncContext context, std::vector<cache::GrowingChat> growing);

/// Fetches each of them again, whole: something about it changed that no clock shows. A 404 deletes it, within the
/// limit that comparisons have without a person's consent.
Task<> refresh(SyncContext context, std::vector<ConversationId> ids,
               upstream::Priority priority = upstream::Priority::increment);

// Reconcile: what no clock shows. All at the lowest priority.

/// Finds conversations without a chat, which no window of last chat time holds, by listing without one.
/// `ends_were_read`: scan_chatless_ends() was tried lately, and was not enough.
Task<> scan_chatless(SyncContext context, Deletions deletions, bool ends_were_read);

/// The same before the rest of a backfill, as far as it costs a page or two beside those that show conversations
/// without a chat. True when that found all.
Task<bool> scan_chatless_ends(SyncContext context, std::optional<Front> front, Deletions deletions);

/// Asks about each of them; deletes what a 404 confirms, as far as allowed. One that cannot be read is not complete at
/// the time that it is held with. Throws Error{bad_reply} when too many are missing, or cannot be read. `priority`: of
/// whoever waits for it.
Task<> confirm_absent(SyncContext context, std::vector<ConversationId> ids, Deletions deletions,
                      upstream::Priority priority = upstream::Priority::reconcile);

/// Compares upstream's count of conversations a day with ours, and reads the days that disagree once more.
Task<> compare_counts(SyncContext context);

} // namespace alli::sync
