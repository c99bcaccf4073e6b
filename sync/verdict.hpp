// SPDX-License-Identifier: Apache-2.0
// What becomes of a write, read off upstream's answer or off the failure to get one. Pure. The one place that turns
// either into: done, again, never, or nobody's fault but the key's.
#pragma once

#include "alli/error.hpp"
#include "alli/instant.hpp"
#include "cache/edit.hpp"
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
    std::string why;      // one sentence; empty when delivered
    bool unclear = false; // it may have been applied all the same
    bool answered = true; // false: no answer came at all
    bool for_all = false; // what else is sent meets the same: 429
    std::optional<std::chrono::milliseconds> retry_after;
};

Verdict judge(const upstream::Reply& reply, cache::EditKind kind, Instant now);
Verdict judge(const Error& failure);

} // namespace alli::sync
