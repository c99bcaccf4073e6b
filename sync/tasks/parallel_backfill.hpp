// SPDX-License-Identifier: Apache-2.0
// A gap of the coverage, closed: by one scan, or, where requests take so long that one after the other leaves some of
// the budget unused, by several side by side, each down a window of its own, the newest first. Windows are cut to hold
// a few pages each, by how densely the part above was filled. What was committed before a stop is not read again.
#pragma once

#include "sync/tasks/range_verifier.hpp"

namespace alli::sync {

/// Throws what a scan throws; what is verified by then stands.
Task<> close_gap(SyncContext context, cache::Span gap, Deletions deletions);

/// What is not covered of the span, newest first, but for what could not be read and is tried again in its own time;
/// `due`: that time has come.
std::vector<cache::Span> find_readable_gaps(SyncContext context, cache::Span whole, bool due = false);

/// Whatever is held already may have changed unseen: every chat is read.
IngestOptions backfill_options();

} // namespace alli::sync
