// SPDX-License-Identifier: Apache-2.0
// Problems that are not solved yet: stored, shown by `status`, and, where a retry makes sense, tried again after
// growing pauses. Last chat times that cannot be read because of one are not marked as complete. Written by the engine.
#pragma once

#include "alli/ids.hpp"
#include "cache/rows/coverage.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

struct Problem {
    std::string what; // one sentence; no message text, no key
    std::string hint;
    Instant since;
    int tries = 0;
    std::optional<Instant> retry_at = {};         // our clock; none: the part that reported it clears it
    std::optional<std::string> conversation = {}; // the one that cannot be read
    std::optional<Span> unreadable = {};          // the last chat times that are not complete because of it
    std::string key = {};                         // filled in by loading
};

/// No pause is longer.
inline constexpr std::chrono::hours longest_retry{6};

/// Its pause is over, or longer than any pause can be: then our clock was ahead when it began.
bool is_due(const Problem& problem, Instant now);

/// The key of the problem of a conversation that cannot be read.
std::string problem_key(const ConversationId& id);

/// Replaces what stands under the key but for the first `since`.
void put_problem(Writer& db, std::string_view key, const Problem& problem);
bool clear_problem(Writer& db, std::string_view key); // true when there was one
std::optional<Problem> find_problem(Reader& db, std::string_view key);
std::vector<Problem> load_problems(Reader& db); // the oldest first
std::vector<Problem> load_due_problems(Reader& db, Instant now);

/// Problems that keep last chat times from being complete are retried at `now`, without waiting for the end of the
/// pause.
void make_windows_due(Writer& db, Instant now);

/// Problems of last chat times that cannot be listed, where they overlap the span.
std::vector<Problem> load_windows(Reader& db, Span span);

} // namespace alli::cache
