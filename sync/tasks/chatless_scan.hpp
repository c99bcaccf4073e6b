// SPDX-License-Identifier: Apache-2.0
// One scan for the conversations without a chat, which are in no window, by whichever way needs the fewest requests:
// from the end of an order at which they stand together; by upstream's daily counts, which show that none is missing,
// or since when; else by the whole list. Learns where upstream puts them (cache/rows/chatless.hpp). On the engine's
// loop.
#pragma once

#include "sync/pages/ingest.hpp"
#include "sync/pages/list_pages.hpp"
#include "sync/tasks/chatless_places.hpp"
#include "sync/tasks/daily_counts.hpp"
#include "sync/tasks/tasks.hpp"

#include <unordered_set>

namespace alli::sync {

class ChatlessScan {
  public:
    ChatlessScan(SyncContext context, Deletions deletions, upstream::Priority priority);

    // Each true when all are known now. Throws what concerns all; where something cannot be read, or upstream refuses
    // it, that is no way.
    /// The first page of the newest-first list, which was read and committed already.
    bool take_front(const Front& front);
    /// The ends of the order by last chat time, as far as the front has not told.
    Task<bool> read_ends();
    Task<bool> read_by_counts();

    /// Throws what keeps the list from being read to its end.
    Task<> read_whole();
    /// After that: where the counts say that the list leaves some out.
    Task<> read_left_out();

    /// When all are known: asks about those that are held and were not listed, keeps where upstream puts them, and that
    /// the scan is done. Throws when one of them cannot be read: then it is not.
    Task<> finish();

  private:
    Task<bool> read_end(upstream::ListOrder order);
    Task<bool> follow_front(ListPages& pages, Sightings& sightings, bool newest_first);
    Task<bool> read_created_since(Day day);
    Task<> follow_created(ListPages& pages, Instant since);
    Task<std::optional<Day>> find_first_missing();
    Task<> take_chatless(ListPage page);
    Task<> take(std::vector<Conversation> conversations, Fence fence);
    bool counts_prove_it() const;
    bool is_read_sooner_by_creation(Day since) const;
    SeenPlaces seen_places(bool any, bool any_unlisted) const;
    std::size_t note_done(cache::Writer& db) const;

    SyncContext context_;
    Deletions deletions_;
    IngestOptions options_;
    Instant started_; // what came later is not in it; it only plans the next one
    cache::ChatlessPlaces known_;
    std::unordered_set<ConversationId> held_before_;
    std::unordered_set<ConversationId> seen_;
    std::optional<DayCounts> counts_;          // upstream's, once they were asked for
    std::pair<Day, Day> counted_;              // from, through
    bool whole_ = false;                       // the newest-first list was read to its end
    bool left_out_ = false;                    // and lacked one that an order by creation shows
    std::optional<Sightings> newest_, oldest_; // of what was read of the orders, from their fronts
};

} // namespace alli::sync
