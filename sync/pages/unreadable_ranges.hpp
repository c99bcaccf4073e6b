// SPDX-License-Identifier: Apache-2.0
// Last chat times that cannot be listed, as problems of the mirror: noted in the commit of the page that a scan went
// on with below them, and gone in the commit that marks verified them, no sooner. One that is found again keeps its age
// and its pauses.
#pragma once

#include "alli/random.hpp"
#include "cache/rows/problems.hpp"
#include "sync/pages/paginator.hpp"

#include <vector>

namespace alli::sync {

/// Keeps what was passed by, up to `through`, as problems that are tried again; `known`: those that were there.
void note_unreadable(cache::Writer& db, const std::vector<Unreadable>& passed_by, Instant through, Instant now,
                     const std::vector<cache::Problem>& known);
void note_unreadable(cache::Writer& db, const std::vector<Unreadable>& passed_by, Instant through, Instant now);

/// This span was gone down, all of it: what it held of such problems ends. Returns them as they were.
std::vector<cache::Problem> take_unreadable(cache::Writer& db, cache::Span span);

/// A problem whose turn it is again, as far as it can be verified; none: nothing is left to try.
std::optional<cache::Span> begin_retry(cache::Writer& db, const std::string& key);

/// What is still not read of a span that was tried again waits for its next turn, longer than before.
void end_retry(cache::Writer& db, cache::Span span, const std::string& why, Instant now);

} // namespace alli::sync
