// SPDX-License-Identifier: Apache-2.0
// The outbox as delivery sees it: a line for each conversation and one for bulk updates, each in the order of places;
// its head is what may be sent. Functions with a Writer belong into Store::write_outbox.
#pragma once

#include "cache/outbox.hpp"

namespace alli::cache {

/// The first of a line that waits.
struct LineHead {
    std::optional<ConversationId> conversation; // none: the line of bulk updates
    std::int64_t id = 0, place = 0;
    EntryState state = EntryState::pending;
    std::optional<Instant> next_attempt_at;
};
std::vector<LineHead> load_lines(Reader& db);
std::optional<LineHead> find_head(Connection& db, const std::optional<ConversationId>& line);

/// Counts the attempt and marks it as being sent, before it is. False when it waits no more: somebody discarded it.
bool begin_sending(Writer& db, std::int64_t id);

/// What became of an attempt.
struct Outcome {
    EntryState state = EntryState::pending; // never sending
    std::optional<int> status;
    std::optional<std::string> error;
    std::optional<std::string> response, response_type, conflict;
    std::optional<Instant> next_attempt_at;
    bool unclear = false;   // it may have been applied
    bool uncounted = false; // the attempt never got an answer: it does not count
    bool told = false;      // the app that waits gets this outcome
};
/// Writes it down; returns the head that the line has then; none too where the entry was purged meanwhile.
std::optional<LineHead> settle(Writer& db, std::int64_t id, const Outcome& outcome, Instant now);

/// Writes to the same conversation that were accepted before that place, bulk updates too, and those that were
/// delivered past a line in conflict; newest first.
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

/// After the start: what was being sent when the last process died goes back into its line, marked as unclear; one that
/// was at the head of three deaths is parked as failed.
struct Recovered {
    bool unclean = false; // the last process was not stopped in order
    std::int64_t resumed = 0, parked = 0;
    std::vector<ConversationId> recent; // of writes delivered since `since`
};
Recovered recover(Writer& db, Instant now, Instant since);

/// Before an orderly end: nothing is being sent any more. The next start finds it clean.
void close_line(Writer& db);

/// Fails what is worthless late: `kind` accepted before `before`. Their lines.
std::vector<std::optional<ConversationId>> expire(Writer& db, EditKind kind, Instant before, Instant now,
                                                  const std::string& why);

} // namespace alli::cache
