// SPDX-License-Identifier: Apache-2.0
// The way of a cached read: from the mirror as long as that will do, else upstream, and what came back is kept. Says of
// every answer how old it is and where it came from (docs/decisions/0005). Runs on a proxy loop.
#pragma once

#include "cache/progress.hpp"
#include "proxy/answers.hpp"
#include "proxy/flights.hpp"
#include "proxy/keep.hpp"
#include "proxy/routes.hpp"
#include "proxy/understood.hpp"
#include "proxy/wishes.hpp"

#include <functional>
#include <optional>
#include <string>

namespace alli::proxy {

/// A body out of the mirror.
struct Found {
    std::string body;
    std::optional<Instant> verified_at = {}; // none: when the mirror was
};

/// One kind of read.
struct Read {
    /// None where the mirror does not know. `part`: what it has will do, complete or not.
    std::function<std::optional<Found>(cache::Reader&, bool part)> find;
    Kept kept;                             // what upstream's answer is
    std::optional<ConversationId> of = {}; // nothing but this conversation's rows is in it
    bool one_thing = false;                // an id: a complete mirror knows that it does not exist
    bool upstream_once = false;            // upstream may know more than what was found: ask it, unless it is away
    bool never_old = false; // the engine does not keep it fresh: when it is old, ask upstream, unless it is away;
                            // and no commit tells when it changes
    bool slow = false;      // may look through many rows: not on a proxy loop
    /// The name of a parameter that the mirror does not understand: upstream alone can answer.
    std::optional<std::string> beyond = {};
    bool unrepeated = false; // the same target will hardly come again: not worth keeping whole
    bool polled = false;     // a cursor of ours: that it is fresh, a poll of the engine's has to tell
    /// Of a polled one: brings what no poll does, where that is missing or was verified before then.
    std::function<Task<>(Instant)> fetch = {};
    /// Of a polled one: the page as upstream has it, where the mirror does not know it whole (bridge.hpp). Not set:
    /// upstream cannot go on from its cursor.
    std::function<Task<std::optional<Landing>>(Kept)> ask_behind = {};
};

/// Says of the read, when all else is, whether a parameter makes it upstream's, or one that nobody will ask again. What
/// an unknown parameter brings may be less than a whole row, so that it is not kept.
void judge_parameters(const Context& cx, Read& read, const Parameters& parameters,
                      std::span<const KnownParameter> known);

/// Never throws for want of upstream: that is 504 and says what is covered.
Task<Response> answer_read(const Context& cx, const Request& rq, const Read& read);

/// An answer that was kept whole; none when there is none, or it will not do.
std::optional<Response> answer_at_once(const Context& cx, Request& rq);

Wishes wishes_of(const Request& rq);

/// Throws Error{key_rejected} where the mirror is to keep silent once upstream refused the key.
void require_accepted_key(const Context& cx);

/// What is covered, in words: "the mirror is complete from ... through ... alone".
std::string describe(const cache::Covered& covered);

} // namespace alli::proxy
