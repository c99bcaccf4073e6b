// SPDX-License-Identifier: Apache-2.0
// The passes that the engine is made of. Each commits page by page and can be stopped anywhere: what is committed
// stands, what is verified is whole, and the next one goes on from there.
#pragma once

#include "sync/scan.hpp"
#include "sync/sightings.hpp"

#include <vector>

namespace alli::sync {

/// Called after every commit with what it brought.
using Report = std::function<void(const Ingested&)>;

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
};

// Backfill: the gaps of the coverage between `since` and the increments' boundary, the newest first.
bool backfill_due(SyncContext context, Instant since);
/// The first page of all, which sets the boundary. None when there is one already, or a window was asked for.
Task<std::optional<Front>> begin_backfill(SyncContext context, Instant since, Deletions deletions, ScanHooks hooks);
Task<> backfill(SyncContext context, Instant since, Deletions deletions, ScanHooks hooks);

/// Last chat times that could not be listed, once more.
Task<> retry_window(SyncContext context, cache::Problem problem, Deletions deletions, ScanHooks hooks);

/// What a poll brought.
struct Increase {
    bool news = false;
    bool whole = false; // nothing was passed by: the mirror is verified as of its start
};

/// What changed since the boundary, less the overlap. The boundary moves to the start of this pass, by the earlier of
/// upstream's clock and ours, in the commit of its last page and never before; `verified_at` with it where the pass is
/// whole.
Task<Increase> increment(SyncContext context, Deletions deletions, Report report);

// Single conversations: what is wrong with one alone is kept as its problem, and the others follow; what concerns all
// is thrown.

/// The last messages that upstream is still writing and that no list shows any more.
Task<> read_growing(SyncContext context, std::vector<cache::Growing> growing, Report report);

/// These again, whole: something about them changed that no clock shows. A 404 removes one, as far as comparisons may
/// without a word of a person's.
Task<> refresh(SyncContext context, std::vector<ConversationId> ids, Report report,
               upstream::Priority priority = upstream::Priority::increment);

// Reconcile: what no clock shows. All at the lowest priority.

/// Conversations without a chat are in no window: found by listing without one. `ends_were_read`: by the following,
/// lately, and they did not do.
Task<> scan_chatless(SyncContext context, Deletions deletions, ScanHooks hooks, bool ends_were_read);

/// The same, as far as it costs a page or two beside those that show conversations without a chat: before the rest of a
/// backfill. True when it was enough.
Task<bool> scan_chatless_ends(SyncContext context, std::optional<Front> front, Deletions deletions, ScanHooks hooks);

/// A span of what is covered, compared with upstream and verified anew; down to the page with which `hooks.enough`,
/// unless another scan could not go on there.
Task<> reconcile_range(SyncContext context, cache::Span span, Deletions deletions, ScanHooks hooks);

/// The span that was verified longest ago, when that was before `before`, or has yet to come; none: all is younger.
std::optional<cache::Span> find_stale(SyncContext context, Instant before);

/// Asks about each of them; deletes what a 404 confirms, as far as allowed. One that cannot be read is not complete at
/// the time that it is held with. Throws Error{bad_reply} when too many are missing, or cannot be read.
Task<> confirm_absent(SyncContext context, std::vector<ConversationId> ids, Deletions deletions, Report report);

/// Compares upstream's count of conversations a day with ours, and reads the days that disagree once more.
Task<> compare_counts(SyncContext context, ScanHooks hooks);

} // namespace alli::sync
