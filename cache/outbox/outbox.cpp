// SPDX-License-Identifier: Apache-2.0
#include "cache/outbox/outbox.hpp"

#include "alli/error.hpp"
#include "cache/outbox/entry_order.hpp"

namespace alli::cache {
namespace {

std::optional<std::string> text_of(const std::optional<ConversationId>& id)
{
    return id ? std::optional(id->value) : std::nullopt;
}

// How many are in it, where there is no room for one more.
std::optional<std::int64_t> find_full(Writer& db, const OutboxLimits& limits, std::size_t body)
{
    for (const Row row : db.query("SELECT sum(entries), sum(bytes) FROM tally WHERE state <> 'delivered'"))
        if (row.integer(0) >= limits.entries || row.integer(1) + static_cast<std::int64_t>(body) > limits.bytes)
            return row.integer(0);
    return std::nullopt;
}

// The oldest that an app was told of: nobody has to do anything about them any more.
bool drop_told(Writer& db)
{
    constexpr int at_once = 100;
    note_highest_place(db);
    return db.run("DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE state = 'failed' AND told = 1"
                  " ORDER BY id LIMIT ?1)",
                  at_once) > 0;
}

void require_room(Writer& db, const OutboxLimits& limits, std::size_t body)
{
    auto full = find_full(db, limits, body);
    while (full && drop_told(db)) full = find_full(db, limits, body);
    if (full)
        throw Error(Fault::unavailable, "see what holds it up: alli-mirror outbox list",
                    "the queue of writes is full ({} wait or failed)", *full);
}

// Up to rc1 a key stood without its app's name before it. Of another request it may be another app's.
std::optional<Acceptance> find_former(Writer& db, const NewEntry& entry)
{
    const std::size_t end_of_name = entry.client_key->find('\n');
    if (end_of_name == std::string::npos) return std::nullopt;
    for (const Row row :
         db.query("SELECT id FROM entry WHERE client_key = ?1 AND method = ?2 AND path = ?3 AND body = ?4",
                  entry.client_key->substr(end_of_name + 1), entry.method, entry.path, entry.body))
        return Acceptance{Acceptance::Kind::repeated, row.integer(0)};
    return std::nullopt;
}

std::optional<Acceptance> find_first(Writer& db, const NewEntry& entry)
{
    if (!entry.client_key) return std::nullopt;
    for (const Row row : db.query("SELECT id, request_hash FROM entry WHERE client_key = ?1", *entry.client_key)) {
        const bool same = row.text(1) == entry.request_hash;
        return Acceptance{same ? Acceptance::Kind::repeated : Acceptance::Kind::mismatch, row.integer(0)};
    }
    return find_former(db, entry);
}

bool is_waited_for(Writer& db, const std::optional<ConversationId>& line)
{
    for ([[maybe_unused]] const Row row : db.query(
             "SELECT 1 FROM entry WHERE conversation IS ?1 AND state IN ('pending', 'sending', 'conflict') LIMIT 1",
             text_of(line)))
        return true;
    return false;
}

std::optional<EntryState> state_of(Connection& db, std::int64_t id)
{
    const auto name = db.one<std::string>("SELECT state FROM entry WHERE id = ?1", id);
    return name ? find_entry_state(*name) : std::nullopt;
}

} // namespace

Acceptance accept(Writer& db, const NewEntry& entry, const OutboxLimits& limits)
{
    if (const auto first = find_first(db, entry)) return *first;
    require_room(db, limits, entry.body.size());
    const std::int64_t place = next_place(db);
    const bool heads_line = !is_waited_for(db, entry.conversation);
    const std::optional<std::string> chat = entry.chat ? std::optional(entry.chat->value) : std::nullopt;
    for (const Row row : db.query(
             "INSERT INTO entry (kind, conversation, chat, method, path, headers, body, state,"
             " created_at, upstream_key, client_key, request_hash, base, place) VALUES (?1, ?2, ?3,"
             " ?4, ?5, ?6, ?7, 'pending', ?8, ?9, ?10, ?11, ?12, ?13) RETURNING id, place",
             name_of(entry.kind), text_of(entry.conversation), chat, entry.method, entry.path, entry.headers,
             entry.body, entry.created_at, entry.upstream_key, entry.client_key, entry.request_hash, entry.base, place))
        return {Acceptance::Kind::fresh, row.integer(0), row.integer(1), heads_line};
    throw std::logic_error("an insertion returned no row");
}

AcceptedWrite accepted_write(NewEntry entry, const Acceptance& fresh)
{
    AcceptedWrite write;
    write.heads_line = fresh.heads_line;
    write.entry.id = fresh.id;
    write.entry.place = fresh.place;
    write.entry.kind = entry.kind;
    write.entry.conversation = std::move(entry.conversation);
    write.entry.chat = std::move(entry.chat);
    write.entry.method = std::move(entry.method);
    write.entry.path = std::move(entry.path);
    write.entry.headers = std::move(entry.headers);
    write.entry.body = std::move(entry.body);
    write.entry.upstream_key = std::move(entry.upstream_key);
    write.entry.base = std::move(entry.base);
    write.entry.created_at = entry.created_at;
    return write;
}

std::optional<Entry> find_entry(Reader& db, std::int64_t id)
{
    return db.one(&read_whole_entry, "SELECT " ALLI_ENTRY_COLUMNS ", body, response FROM entry WHERE id = ?1", id);
}

std::vector<Entry> list_entries(Reader& db, const EntryQuery& query)
{
    const std::int64_t before = query.before.value_or(INT64_MAX);
    if (query.state)
        return db.all(&read_entry,
                      "SELECT " ALLI_ENTRY_COLUMNS " FROM entry WHERE state = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
                      name_of(*query.state), before, query.limit);
    return db.all(&read_entry, "SELECT " ALLI_ENTRY_COLUMNS " FROM entry WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
                  before, query.limit);
}

OutboxCounts count_entries(Reader& db)
{
    OutboxCounts counts;
    for (const Row row : db.query("SELECT state, entries FROM tally")) {
        const auto state = find_entry_state(row.text(0));
        if (state == EntryState::pending || state == EntryState::sending) counts.pending += row.integer(1);
        if (state == EntryState::conflict) counts.conflicts = row.integer(1);
        if (state == EntryState::failed) counts.failed = row.integer(1);
        if (state == EntryState::delivered) counts.delivered = row.integer(1);
    }
    for (const char* state : {"pending", "sending"}) {
        const auto oldest = db.one<Instant>("SELECT created_at FROM entry WHERE state = ?1 ORDER BY id LIMIT 1", state);
        if (oldest) counts.oldest = std::min(counts.oldest.value_or(*oldest), *oldest);
    }
    return counts;
}

RetryResult retry_entry(Writer& db, std::int64_t id)
{
    const auto state = state_of(db, id);
    if (!state) return {};
    if (*state == EntryState::failed)
        db.run("UPDATE entry SET state = 'pending', crashes = 0, next_attempt_at = NULL, settled_at = NULL, told = 0,"
               " place = ?2 WHERE id = ?1",
               id, next_place(db));
    else if (*state == EntryState::conflict)
        db.run("UPDATE entry SET state = 'pending', forced = 1, conflict = NULL, next_attempt_at = NULL,"
               " place = CASE WHEN conversation IS NULL THEN ?2 ELSE place END WHERE id = ?1",
               id, next_place(db)); // of what came after a bulk update some was sent: it comes after all of that
    else if (*state == EntryState::pending)
        db.run("UPDATE entry SET next_attempt_at = NULL WHERE id = ?1", id); // now rather than later
    else
        return {OperatorResult::wrong_state, {}};
    return {OperatorResult::done, *find_entry(db, id)};
}

OperatorResult discard_entry(Writer& db, std::int64_t id)
{
    const auto state = state_of(db, id);
    if (!state) return OperatorResult::absent;
    if (*state == EntryState::sending || *state == EntryState::delivered) return OperatorResult::wrong_state;
    note_highest_place(db);
    db.run("DELETE FROM entry WHERE id = ?1", id);
    return OperatorResult::done;
}

std::int64_t purge_entries(Writer& db, Instant before, int limit)
{
    return db.run("DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE settled_at < ?1"
                  " AND (state = 'delivered' OR (state = 'failed' AND told = 1)) LIMIT ?2)",
                  before, limit);
}

} // namespace alli::cache
