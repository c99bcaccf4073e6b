// SPDX-License-Identifier: Apache-2.0
// What went wrong and was not mended since. Kept, shown, and, where there is something to try, tried again after
// growing pauses; what is not readable because of one is not certified as complete. Written by the engine.
#pragma once

#include "alli/ids.hpp"
#include "cache/coverage.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace alli::cache {

struct Problem {
    std::string what; // one sentence; no message text, no key
    std::string hint;
    Instant since;
    int tries = 0;
    std::optional<Instant> retry_at = {};         // our clock; none: it is cleared by whoever noted it
    std::optional<std::string> conversation = {}; // the one that cannot be read
    std::optional<Span> unreadable = {};          // the last chat times that are not complete because of it
    std::string key = {};                         // filled in by loading
};

/// No pause is longer.
inline constexpr std::chrono::hours longest_retry{6};

/// Its pause is over, or longer than any is: then our clock ran ahead when it began.
bool is_due(const Problem& problem, Instant now);

/// What a conversation that cannot be read is kept under.
std::string problem_key(const ConversationId& id);

/// Replaces what stands under the key but for the first `since`.
void put_problem(Writer& db, std::string_view key, const Problem& problem);
bool clear_problem(Writer& db, std::string_view key); // true when there was one
std::optional<Problem> find_problem(Reader& db, std::string_view key);
std::vector<Problem> load_problems(Reader& db); // the oldest first
std::vector<Problem> load_due_problems(Reader& db, Instant now);
std::vector<Span> load_unreadable(Connection& db);

/// What keeps last chat times from being complete is tried again at `now`, and not after its pause.
void make_windows_due(Writer& db, Instant now);

/// Of last chat times that cannot be listed, those that reach into the span.
std::vector<Problem> load_windows(Reader& db, Span span);

} // namespace alli::cache
