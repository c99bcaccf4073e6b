// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/fifos.hpp"

#include "cache/db/meta.hpp"

#include <set>
#include <unordered_set>

namespace alli::cache {
namespace {

constexpr int crashes_until_failed = 3;

LineHead read_head(const Row& row) // conversation, id, place, state, next_attempt_at
{
    LineHead head;
    if (!row.is_null(0)) head.conversation = ConversationId{std::string(row.text(0))};
    head.id = row.integer(1);
    head.place = row.integer(2);
    head.state = find_entry_state(row.text(3)).value_or(EntryState::pending);
    head.next_attempt_at = row.optional_instant(4);
    return head;
}

std::optional<std::string> key_of(const std::optional<ConversationId>& line)
{
    return line ? std::optional(line->value) : std::nullopt;
}

std::optional<ConversationId> line_of(Connection& db, std::int64_t id)
{
    return db.one<ConversationId>("SELECT conversation FROM entry WHERE id = ?1", id);
}

std::vector<ConversationId> delivered_since(Writer& db, Instant since)
{
    return db.all<ConversationId>("SELECT DISTINCT conversation FROM entry WHERE settled_at >= ?1"
                                  " AND state = 'delivered' AND conversation IS NOT NULL",
                                  since);
}

// Of one without any, a new one above all, nothing can have been left half done.
bool holds_entries(Reader& db)
{
    return db.exists("SELECT 1 FROM entry LIMIT 1");
}

} // namespace

std::vector<LineHead> load_lines(Reader& db)
{
    std::vector<LineHead> heads;
    std::unordered_set<std::string> seen;
    bool bulk_seen = false;
    for (const Row row : db.query("SELECT conversation, id, place, state, next_attempt_at FROM entry"
                                  " WHERE state IN ('pending', 'sending', 'conflict') ORDER BY place")) {
        const bool first = row.is_null(0) ? !std::exchange(bulk_seen, true) : seen.emplace(row.text(0)).second;
        if (first) heads.push_back(read_head(row));
    }
    return heads;
}

std::optional<LineHead> find_head(Connection& db, const std::optional<ConversationId>& line)
{
    return db.one(&read_head,
                  "SELECT conversation, id, place, state, next_attempt_at FROM entry"
                  " WHERE conversation IS ?1 AND state IN ('pending', 'sending', 'conflict')"
                  " ORDER BY place LIMIT 1",
                  key_of(line));
}

bool begin_sending(Writer& db, std::int64_t id, const std::optional<std::string>& over)
{
    return db.run("UPDATE entry SET state = 'sending', attempts = attempts + 1, base = coalesce(?2, base)"
                  " WHERE id = ?1 AND state = 'pending'",
                  id, over) == 1;
}

std::optional<LineHead> settle(Writer& db, std::int64_t id, const Outcome& outcome, Instant now)
{
    const auto line = line_of(db, id);
    const bool final = outcome.state == EntryState::failed || outcome.state == EntryState::delivered;
    const std::optional<Instant> settled_at = final ? std::optional(now) : std::nullopt;
    db.run("UPDATE entry SET state = ?2, last_status = ?3, last_error = ?4, response = ?5, response_type = ?6,"
           " conflict = ?7, next_attempt_at = ?8, unclear = ?9, attempts = max(attempts - ?10, 0), told = ?11,"
           " settled_at = ?12, crashes = 0,"
           " base = CASE WHEN conversation IS NULL AND ?12 IS NOT NULL THEN NULL ELSE base END WHERE id = ?1",
           id, name_of(outcome.state), outcome.status, outcome.error, outcome.response, outcome.response_type,
           outcome.conflict, outcome.next_attempt_at, outcome.in_doubt, outcome.uncounted, outcome.told, settled_at);
    if (db.changes() == 0) return std::nullopt; // purged meanwhile
    return find_head(db, line);
}

// What was refused, or never sent, upstream cannot show.
#define ALLI_MAY_SHOW "(state IN ('sending', 'delivered') OR unclear = 1)"

std::vector<Earlier> find_earlier(Reader& db, const ConversationId& id, std::int64_t place, int limit)
{
    std::vector<Earlier> earlier;
    const auto add = [&](const Row& row) {
        const auto kind = find_edit_kind(row.text(0));
        if (kind) earlier.push_back({*kind, std::string(row.text(1)), row.optional_text(2)});
    };
    for (const Row row : db.query("SELECT kind, body, response FROM entry WHERE conversation = ?1 AND place < ?2"
                                  " AND " ALLI_MAY_SHOW " ORDER BY place DESC LIMIT ?3",
                                  id.value, place, limit))
        add(row);
    for (const Row row :
         db.query("SELECT kind, body, response FROM entry WHERE conversation IS NULL"
                  " AND (place < ?1 OR state = 'delivered') AND " ALLI_MAY_SHOW " ORDER BY place DESC LIMIT ?2",
                  place, limit))
        add(row);
    return earlier;
}

std::vector<Settled> load_delivered(Reader& db, Instant since)
{
    const auto read = [&](const Row& row) {
        return Settled{read_whole_entry(row), row.optional_instant(22).value_or(since)};
    };
    return db.all(read,
                  "SELECT " ALLI_ENTRY_COLUMNS ", body, response, settled_at FROM entry"
                  " WHERE settled_at >= ?1 AND state = 'delivered' ORDER BY place",
                  since);
}

std::vector<ConversationId> find_sent_last(Reader& db, std::chrono::microseconds within)
{
    std::set<std::string> ids;
    for (const Row row : db.query("SELECT conversation, body FROM entry WHERE state = 'sending' OR"
                                  " (unclear = 1 AND state IN ('pending', 'conflict')) OR (state = 'delivered' AND"
                                  " settled_at >= (SELECT max(settled_at) FROM entry WHERE state = 'delivered') - ?1)",
                                  within.count())) {
        if (!row.is_null(0)) {
            ids.emplace(row.text(0));
            continue;
        }
        for (std::string& id : read_selection(row.text(1)).conversations) ids.insert(std::move(id));
    }
    std::vector<ConversationId> found;
    for (const std::string& id : ids) found.push_back(ConversationId{id});
    return found;
}

Recovered recover(Writer& db, Instant now, Instant since)
{
    Recovered recovered;
    recovered.unclean = !drop_meta(db, "stopped_in_order") && holds_entries(db);
    if (recovered.unclean) recovered.recent = delivered_since(db, since);
    db.run("UPDATE entry SET crashes = crashes + 1, unclear = 1 WHERE state = 'sending'");
    recovered.dead_lettered =
        db.run("UPDATE entry SET state = 'failed', settled_at = ?1, last_error = 'the program died three times while"
               " sending it; retry it by hand' WHERE state = 'sending' AND crashes >= ?2",
               now, crashes_until_failed);
    recovered.resumed = db.run("UPDATE entry SET state = 'pending', next_attempt_at = NULL WHERE state = 'sending'");
    return recovered;
}

std::int64_t hold_back(Writer& db, std::string_view why)
{
    return db.run("UPDATE entry SET unclear = unclear OR state = 'sending', state = 'conflict', conflict = NULL,"
                  " last_error = ?1, next_attempt_at = NULL WHERE state IN ('pending', 'sending') AND kind <> 'stop'",
                  why);
}

void put_in_doubt(Writer& db)
{
    db.run("UPDATE entry SET state = 'pending', unclear = 1 WHERE state = 'sending'");
}

void close_line(Writer& db)
{
    put_in_doubt(db);
    put_meta(db, "stopped_in_order", 1);
}

std::vector<LineHead> find_pending(Reader& db, EditKind kind, Instant before)
{
    return db.all(&read_head,
                  "SELECT conversation, id, place, state, next_attempt_at FROM entry"
                  " WHERE state = 'pending' AND kind = ?1 AND created_at < ?2 ORDER BY place",
                  name_of(kind), before);
}

std::vector<std::optional<ConversationId>> expire(Writer& db, EditKind kind, Instant before, Instant now,
                                                  const std::string& why)
{
    const auto ids = db.all<std::int64_t>(
        "SELECT id FROM entry WHERE state = 'pending' AND kind = ?1 AND created_at < ?2", name_of(kind), before);
    std::vector<std::optional<ConversationId>> lines;
    for (const std::int64_t id : ids) {
        lines.push_back(line_of(db, id));
        db.run("UPDATE entry SET state = 'failed', settled_at = ?2, last_error = ?3 WHERE id = ?1", id, now, why);
    }
    return lines;
}

} // namespace alli::cache
