// SPDX-License-Identifier: Apache-2.0
// What becomes of a write, read off upstream's answer or off the failure to get one. Pure. The one place that turns
// either into: done, again, never, or nobody's fault but the key's. Only the service's own answer ends one.
#pragma once

#include "alli/error.hpp"
#include "alli/instant.hpp"
#include "cache/outbox/outbox.hpp"
#include "upstream/authenticity.hpp"
#include "upstream/http.hpp"

#include <chrono>
#include <optional>
#include <string>

namespace alli::sync {

struct Verdict {
    enum class Kind {
        delivered,
        again,    // it will pass: not now
        refused,  // it will not change
        rejected, // 401 or 403: the key, or the identity it came with
    };
    Kind kind = Kind::again;
    std::string why;       // one sentence; empty when delivered
    bool in_doubt = false; // it may have been applied all the same
    bool answered = true;  // false: no answer came at all
    bool sent = true;      // false: no request went out, but for reads
    bool for_all = false;  // what else is sent meets the same: 429
    bool foreign = false;  // what came was not the service's answer
    bool unproven = false; // delivered as far as the status says: a read has to show it
    std::optional<std::chrono::milliseconds> retry_after;
};

/// What the contract shows as the answer to it. Refers to the entry's ids.
upstream::Expected expected_answer(const cache::Entry& entry);

/// `absence`: a 404 or 410 is the service's own (Client::is_absence).
Verdict judge(const upstream::Reply& reply, const cache::Entry& entry, bool absence, Instant now);
Verdict judge(const Error& failure);
/// Of a read that came before it: nothing was sent.
Verdict judge_read(const Error& failure);

} // namespace alli::sync
