// SPDX-License-Identifier: Apache-2.0
// Progress of the engine's tasks. Only the engine writes it; the freshness of responses is computed from it.
#pragma once

#include "alli/conversation.hpp"
#include "cache/db/writer.hpp"

#include <string>
#include <vector>

namespace alli::cache {

struct Progress {
    TimeUnit unit = TimeUnit::unknown;
    std::optional<Instant> boundary; // increments ask from here less the overlap; in upstream's clock
    bool backfill_done = false;      // nothing is left to read but what cannot be read
    std::optional<Instant>
        chatless_at; // our clock, when conversations without a chat were last looked for; none: never yet
    std::optional<Instant> listed_whole_at; // our clock, when that was last done by reading the list from end to end
    std::optional<Instant> verified_at;     // our clock, when an increment was last committed: Age counts from it
    std::optional<int> list_embeds;         // how many chats upstream embeds in a list item, as far as seen
    std::optional<Instant> reconcile_started_at; // our clock, when the sweep under way began
    int reconcile_deleted = 0;                   // how many it deleted
    std::optional<Instant> counted_at;           // our clock, when upstream's daily counts were last compared
    int counts_differed = 0;                     // comparisons in a row in which they disagreed
    bool counts_disagree = false;                // they go on disagreeing: they mean something else
};
Progress load_progress(Reader& db);
void save_progress(Writer& db, const Progress& progress); // writes only the values that changed

} // namespace alli::cache
