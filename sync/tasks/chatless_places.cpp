// SPDX-License-Identifier: Apache-2.0
#include "sync/tasks/chatless_places.hpp"

#include "cache/rows/problems.hpp"

#include <spdlog/fmt/fmt.h>

namespace alli::sync {
namespace {

using cache::ChatlessPlace;

constexpr std::string_view key = "place of conversations without a chat";

// True when it contradicts what was known.
bool take(ChatlessPlace& known, std::optional<ChatlessPlace> seen)
{
    const bool contradicts = seen && known != ChatlessPlace::unknown && known != *seen;
    if (seen) known = *seen;
    return contradicts;
}

void note_contradiction(cache::Writer& db, Instant now)
{
    const auto before = cache::find_problem(db, key);
    cache::Problem problem;
    problem.tries = before ? before->tries + 1 : 1;
    problem.what = fmt::format(
        "upstream's lists show conversations without a chat in another place than before ({} times)", problem.tries);
    problem.hint = "lists are answered in the order that was seen last; nothing is to be done unless it happens again";
    problem.since = before ? before->since : now;
    cache::put_problem(db, key, problem);
}

} // namespace

void keep_places(cache::Writer& db, const SeenPlaces& seen, Instant now)
{
    if (!seen.newest_first && !seen.oldest_first && !seen.front_clear) return;
    cache::ChatlessPlaces known = cache::load_chatless_places(db);
    known.front_clear = seen.front_clear.value_or(known.front_clear);
    const bool newest = take(known.newest_first, seen.newest_first);
    const bool oldest = take(known.oldest_first, seen.oldest_first);
    cache::save_chatless_places(db, known);
    if (newest || oldest)
        note_contradiction(db, now);
    else if (seen.newest_first || seen.oldest_first)
        cache::clear_problem(db, key);
}

} // namespace alli::sync
