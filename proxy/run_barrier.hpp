// SPDX-License-Identifier: Apache-2.0
// Reading after a run: what was held from before its end must not pass for the whole answer, and must not keep the app
// waiting either (DESIGN, "Reading after a run"). Runs on a proxy loop.
#pragma once

#include "proxy/cached.hpp"

namespace alli::proxy {

/// Where a read has to look.
enum class Passage {
    mirror,  // as ever
    upstream // what is held may be from before
};

/// Whether there is anything to wait for; false for a mirror at rest, at the cost of a look.
bool meets_barrier(const Context& cx, const Read& read);

/// Waits until the engine has fetched what ended, at most `forward_timeout`; of a list, as shows_all_ends().
/// `may_wait`: false says at once what it would come to.
Task<Passage> pass_barrier(const Context& cx, const Read& read, bool may_wait);

/// What reads more than one conversation: waits until each that has ended was fetched, or for a poll that began after
/// all of them, at most two seconds.
Task<bool> shows_all_ends(const Context& cx, bool may_wait);

/// Whether an answer that was kept whole may be given for that path.
bool is_at_rest(const Context& cx, std::string_view path, std::optional<Instant> verified_at);

} // namespace alli::proxy
