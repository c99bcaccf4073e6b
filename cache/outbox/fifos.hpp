// SPDX-License-Identifier: Apache-2.0
// The outbox as delivery sees it: a FIFO for each conversation and one for bulk updates, each in the order of `place`;
// only its head may be sent. Functions with a Writer run inside Store::write_outbox.
#pragma once

#include "cache/outbox/outbox.hpp"

namespace alli::cache {

/// The first waiting entry of a FIFO.
struct LineHead {
    std::optional<ConversationId> conversation; // none: the FIFO of bulk updates
    std::int64_t id = 0, place = 0;
    EntryState state = EntryState::pending;
    std::optional<Instant> next_attempt_at;
};
std::vector<LineHead> load_lines(Reader& db);
std::optional<LineHead> find_head(Connection& db, const std::optional<ConversationId>& line);

/// Before sending: counts the attempt and marks the entry as being sent. `over`: what a bulk update is sent over, for
/// as long as its outcome is open. False: it was discarded meanwhile.
bool begin_sending(Writer& db, std::int64_t id, const std::optional<std::string>& over = std::nullopt);

/// The outcome of an attempt.
struct Outcome {
    EntryState state = EntryState::pending; // never sending
    std::optional<int> status;
    std::optional<std::string> error;
    std::optional<std::string> response, response_type, conflict;
    std::optional<Instant> next_attempt_at;
    bool in_doubt = false;  // it may have been applied
    bool uncounted = false; // the attempt got no response and does not count
    bool told = false;      // acknowledged: the app that waits gets this outcome
};
/// Stores it and returns the new head of the FIFO; none too where the entry was purged meanwhile.
std::optional<LineHead> settle(Writer& db, std::int64_t id, const Outcome& outcome, Instant now);

/// Writes to the same conversation that were accepted before that place, bulk updates included, and bulk updates that
/// were delivered while the FIFO was in conflict, as far as upstream may show them; newest first.
struct Earlier {
    EditKind kind;
    std::string body;
    std::optional<std::string> response;
};
std::vector<Earlier> find_earlier(Reader& db, const ConversationId& id, std::int64_t place, int limit);

/// Delivered since, in the order of places, with their bodies and answers.
struct Settled {
    Entry entry;
    Instant at;
};
std::vector<Settled> load_delivered(Reader& db, Instant since);

/// What another machine would have to read again: the conversations of writes that were delivered, the last of them or
/// no more than `within` before it, and of those that may have been applied. As far as entries name them.
std::vector<ConversationId> find_sent_last(Reader& db, std::chrono::microseconds within);

/// After the start: an entry that was being sent when the last process died returns to its FIFO, marked as in doubt;
/// one that was being sent at three crashes fails (dead-lettered).
struct Recovered {
    bool unclean = false; // the last process did not call close_line()
    std::int64_t resumed = 0, dead_lettered = 0;
    std::vector<ConversationId> recent; // of writes delivered since `since`
};
Recovered recover(Writer& db, Instant now, Instant since);

/// What was being sent when nothing is any more: nobody waits for its answer.
void put_in_doubt(Writer& db);

/// Before an orderly shutdown, when nothing is being sent any more.
void close_line(Writer& db);

/// Puts all that waits, or may have been sent, into conflict: a person decides. Stops alone stay, which nothing can
/// outrun: they are checked before they are sent. Returns how many.
std::int64_t hold_back(Writer& db, std::string_view why);

/// Waiting entries of `kind` that were accepted before `before`.
std::vector<LineHead> find_pending(Reader& db, EditKind kind, Instant before);

/// Fails waiting entries of `kind` that were accepted before `before`. Returns their FIFOs.
std::vector<std::optional<ConversationId>> expire(Writer& db, EditKind kind, Instant before, Instant now,
                                                  const std::string& why);

} // namespace alli::cache
