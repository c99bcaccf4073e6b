// SPDX-License-Identifier: Apache-2.0
// Reading after a run: what the mirror holds from before its end must not pass for the whole answer, and must not keep
// the app waiting either (DESIGN, "Reading after a run"). Runs on a proxy loop.
#pragma once

#include "proxy/request/context.hpp"

namespace alli::proxy {

/// Where a read has to look.
enum class Passage {
    mirror,
    upstream // what the mirror holds may be from before the end of a run
};

// `id`: of a read of one conversation; none: of several.

/// True if there may be something to wait for; false for a mirror at rest, at the cost of one atomic.
bool meets_barrier(const Context& cx, const std::optional<ConversationId>& id);

/// Waits until the engine has fetched what ended, at most `forward_timeout`; for several as shows_all_ends().
/// `may_wait` false: returns at once what is known now.
Task<Passage> pass_barrier(const Context& cx, const std::optional<ConversationId>& id, bool may_wait);

/// Waits until each conversation in which a run has ended was fetched, or for a poll that began after all of the ends,
/// at most two seconds.
Task<bool> shows_all_ends(const Context& cx, bool may_wait);

/// True if a cached response is not outdated by a run.
bool is_at_rest(const Context& cx, const std::optional<ConversationId>& id, std::optional<Instant> verified_at);

} // namespace alli::proxy
