// SPDX-License-Identifier: Apache-2.0
// A page of listed conversations into the mirror: what is missing is fetched side by side, then all is committed at
// once, together with the progress that it means. One that cannot be read is noted as a problem and holds up nothing.
#pragma once

#include "alli/error.hpp"
#include "alli/random.hpp"
#include "cache/progress.hpp"
#include "cache/store.hpp"
#include "sync/catch_up.hpp"
#include "sync/clocks.hpp"
#include "sync/order.hpp"
#include "sync/refetch.hpp"

#include <functional>

namespace alli::sync {

/// What every pass works with, on the engine's loop. A job of the store runs on another thread: of these it may use the
/// clock and the clocks alone; what it needs of the others is read before it is handed over.
struct SyncContext {
    upstream::Client& client;
    cache::Store& store;
    Clock& clock;
    Random& random;
    Order& order;
    int max_parallel;
    std::chrono::microseconds overlap;  // how late a chat may become visible, and a silent message still grow
    std::chrono::microseconds together; // verifications closer than this need not be told apart
    Clocks& clocks;
    Refetch& refetch;
    const bool& once; // one pass for a person, who sees each failure as it is
};

struct Ingested { // new or changed: what came again as it was does not count
    std::int64_t conversations = 0, chats = 0;
    std::int64_t chat_pages = 0;        // asked for
    std::vector<ConversationId> outrun; // read whole, and superseded by an answer that need not have been whole
};

enum class Source { list, single }; // how many chats an item carries is learnt from lists alone
enum class Depth { missing, all };  // the chats that we lack, or all that the item does not carry

struct IngestOptions {
    Source source = Source::list;
    upstream::Priority priority = upstream::Priority::backfill;
    Depth depth = Depth::missing;
    bool audit = false; // what differs though no clock moved is counted as drift
};

using Asked = std::shared_ptr<const Order::Asked>;

/// `asked`: before these were. `also` runs in the same transaction as the rows, before them.
Task<Ingested> ingest(SyncContext context, std::vector<Conversation> listed, Asked asked, IngestOptions ingest_options,
                      std::function<void(cache::Writer&)> also);

/// Whether others can be read while this one cannot; may ask upstream for a list to find out.
Task<bool> is_its_own(SyncContext context, Fault fault, upstream::Priority priority);

/// Asks for a list of a time in which nothing can be: who cannot answer that cannot answer any. False where what comes
/// cannot be read; throws what else the client throws.
Task<bool> answers_lists(SyncContext context, upstream::Priority priority);

/// A failure that is not one page's or one conversation's: an answer that cannot be read is then no answer of
/// upstream's, and no reason to pass anything by.
Error concern_all(SyncContext context, const Error& error);

/// One that cannot be read: kept under its key, and tried again later.
void note_unreadable(cache::Writer& db, const ConversationId& id, const Error& why, Instant now,
                     std::optional<Instant> last_chat_at = std::nullopt);

/// One that upstream was asked about by itself: not complete at the time that it is held with, unless it is known where
/// it stands.
void note_unreadable_alone(cache::Writer& db, const ConversationId& id, const Error& why, Instant now);

} // namespace alli::sync
