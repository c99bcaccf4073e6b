// SPDX-License-Identifier: Apache-2.0
// A cached read: looks up what the mirror holds, has cache_policy.hpp decide, and serves, revalidates, forwards or
// polls. Says of every response how old it is and where it comes from (docs/decisions/0005). Runs on a proxy loop.
#pragma once

#include "alli/envelope.hpp"
#include "proxy/reads/response_cache.hpp"
#include "proxy/reads/supported_parameters.hpp"
#include "proxy/relay/cache_fill.hpp"
#include "proxy/relay/coalescing.hpp"
#include "proxy/request/context.hpp"

#include <functional>
#include <optional>
#include <string>

namespace alli::proxy {

/// A body out of the mirror.
struct StoredBody {
    std::string body;
    std::optional<Content> content = {};     // in whose envelope it is served; none: as it is
    std::optional<Instant> verified_at = {}; // none: with the mirror as a whole
};

/// One kind of read.
struct ReadSpec {
    /// None if the mirror does not know. `part`: an incomplete result is acceptable.
    std::function<std::optional<StoredBody>(cache::Reader&, bool part)> find;
    FillTarget fill;                                 // what upstream's reply is
    std::optional<ConversationId> conversation = {}; // the result consists of this conversation's rows alone
    bool by_id = false;                              // a complete mirror knows that the id does not exist
    bool may_be_incomplete = false;     // upstream may have more than what is held: ask it, unless it is away
    bool revalidate_when_stale = false; // the engine does not keep it fresh, and no commit tells when it changes
    bool slow = false;                  // may look through many rows: not on a proxy loop
    std::optional<std::string> unsupported = {}; // a parameter that the mirror cannot evaluate: upstream alone can
    bool one_off = false;                        // the same target will hardly come again
    bool polled = false; // behind a cursor of ours: a poll of the engine's makes it fresh, not upstream
    /// Of a polled one: fetches what no poll brings, if it is missing or was verified before then.
    std::function<Task<>(Instant)> fetch = {};
    /// Of a polled one: the page from upstream, for what the mirror does not hold whole (list_continuation.hpp). Not
    /// set: upstream cannot continue from its cursor.
    std::function<Task<std::optional<SharedReply>>(FillTarget)> continue_upstream = {};
};

/// The last step in making a ReadSpec: notes a parameter that the mirror cannot evaluate, or one that makes the target
/// a one-off. Upstream's reply to an unsupported parameter may be less than whole rows, so it is not kept.
void check_parameters(const Context& cx, ReadSpec& read, const Parameters& parameters,
                      std::span<const KnownParameter> known);

/// Never throws because upstream is away: that is a 504 that says what is covered.
Task<Response> serve_read(const Context& cx, const Request& rq, const ReadSpec& read);

/// Serves a GET or HEAD from the response cache; none: it holds nothing that satisfies the request.
std::optional<Response> serve_cached(const Context& cx, Request& rq);

} // namespace alli::proxy
