// SPDX-License-Identifier: Apache-2.0
// The passes that the engine is made of. Each commits page by page and can be stopped anywhere: what is committed
// stands, what is certified is whole, and the next one goes on from there.
#pragma once

#include "sync/ingest.hpp"

#include <functional>

namespace alli::sync {

/// Called after every commit with what it brought.
using Report = std::function<void(const Ingested&)>;

/// Downwards from the newest, or from where the last one stopped, to `since`. `between` runs after every page: a long
/// backfill must not keep increments waiting.
Task<> backfill(Tools tools, Instant since, std::function<Task<>()> between, Report report);

/// What changed since the boundary, less the overlap. The boundary moves to the start of this pass, in upstream's
/// clock, in the commit of its last page and never before.
Task<> increment(Tools tools, std::chrono::microseconds overlap, Report report);

/// Conversations without a chat are in no window: found by listing without one.
Task<> census(Tools tools, Report report);

/// These again, whole: something about them changed that no clock shows. A 404 removes one.
Task<> refresh(Tools tools, std::vector<ConversationId> ids, Report report);

/// How far before a pass's start its certainty ends: the second that `Date` is cut to.
inline constexpr std::chrono::seconds date_grain{1};

/// A problem while upstream sends no Date (then boundaries stand in our own clock), and its end.
void note_clock(cache::Writer& db, bool has_date, Instant now);

} // namespace alli::sync
