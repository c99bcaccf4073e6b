// SPDX-License-Identifier: Apache-2.0
#include "cache/replica/shared_writes.hpp"

#include "cache/db/meta.hpp"
#include "cache/outbox/outbox_identity.hpp"
#include "cache/outbox/overlay.hpp"
#include "cache/replica/notes.hpp"
#include "cache/suppressed_writes.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <unordered_set>

namespace alli::cache {
namespace {

constexpr std::string_view position_name = cluster_writes_position_name;
constexpr const char* looked_through_name = "cluster_writes_looked_through";

bool is_settled(const SharedWrite& write)
{
    return write.entry.state == EntryState::delivered || write.entry.state == EntryState::failed;
}

// Keys are each principal's own, and neither has a line feed.
std::optional<std::string> key_here(const SharedWrite& write)
{
    if (!write.client_key) return std::nullopt;
    return write.principal.empty() ? *write.client_key : write.principal + '\n' + *write.client_key;
}

void part_key(std::optional<std::string> key, std::string& principal, std::optional<std::string>& client_key)
{
    const std::size_t end = key ? key->rfind('\n') : std::string::npos;
    principal = end == std::string::npos ? "" : key->substr(0, end);
    client_key = end == std::string::npos ? std::move(key) : key->substr(end + 1);
}

std::optional<std::string> upstream_key_of(Connection& outbox, std::int64_t id)
{
    return outbox.one<std::string>("SELECT upstream_key FROM entry WHERE id = ?1", id);
}

// An Idempotency-Key that an entry here has, which the database may have forgotten, stays that one's.
void insert(Writer& outbox, const SharedWrite& write)
{
    const Entry& entry = write.entry;
    const auto line = entry.conversation ? std::optional(entry.conversation->value) : std::nullopt;
    const auto chat = entry.chat ? std::optional(entry.chat->value) : std::nullopt;
    outbox.run("INSERT INTO entry (id, place, kind, conversation, chat, method, path, headers, body, state, created_at,"
               " upstream_key, client_key, request_hash, base) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'pending',"
               " ?10, ?11, CASE WHEN EXISTS (SELECT 1 FROM entry WHERE client_key = ?12) THEN NULL ELSE ?12 END, ?13,"
               " ?14)",
               entry.id, entry.place, name_of(entry.kind), line, chat, entry.method, entry.path, entry.headers,
               entry.body, entry.created_at, entry.upstream_key, key_here(write), write.request_hash, entry.base);
}

// Its life. What it asks for never changes; its path may, here, with the settings of this node.
void update(Writer& outbox, const SharedWrite& write)
{
    const Entry& entry = write.entry;
    outbox.run("UPDATE entry SET place = ?2, state = ?3, attempts = ?4, next_attempt_at = ?5, settled_at = ?6,"
               " base = ?7, last_status = ?8, last_error = ?9, response = ?10, response_type = ?11, unclear = ?12,"
               " forced = ?13, crashes = ?14, told = ?15, conflict = ?16 WHERE id = ?1",
               entry.id, entry.place, name_of(entry.state), entry.attempts, entry.next_attempt_at,
               is_settled(write) ? write.settled_at : std::nullopt, entry.base, entry.last_status, entry.last_error,
               entry.response, entry.response_type, entry.in_doubt, entry.forced, write.crashes, write.told,
               entry.conflict);
    const ForeignNote none;
    const ForeignNote& foreign = write.foreign ? *write.foreign : none;
    const auto text = [&](const std::string& value) { return write.foreign ? std::optional(value) : std::nullopt; };
    outbox.run("UPDATE entry SET foreign_answer = ?2, foreign_said = ?3, foreign_count = ?4, foreign_since = ?5,"
               " unproven_at = ?6 WHERE id = ?1",
               entry.id, text(foreign.answer), text(foreign.said), foreign.count, foreign.since, write.unproven_at);
}

// Two of this cluster never have the same; one that is not of it may.
void make_room(Writer& outbox, const SharedWrite& write)
{
    outbox.run("UPDATE entry SET place = (SELECT min(place) - 1 FROM entry) WHERE place = ?1 AND id <> ?2",
               write.entry.place, write.entry.id);
}

// Upstream's own, where its answer to such a write brings one.
std::optional<std::string> copy_in(const Entry& entry)
{
    const bool has_content =
        entry.kind == EditKind::update || entry.kind == EditKind::title || entry.kind == EditKind::feedback;
    if (!has_content || !entry.response || !entry.response->starts_with('{')) return std::nullopt;
    return entry.response;
}

void show(Writer& mirror, const AppliedWrite& one, const Confirmation& when)
{
    const EntryState state = one.entry.state;
    if (state == EntryState::delivered && !one.gone && !one.is_overtaken)
        return confirm_edit(mirror, one.entry, copy_in(one.entry), when);
    if (!one.gone && !one.is_overtaken && state != EntryState::failed) return show_edit(mirror, one.entry);
    note_outbox(mirror, one.entry.conversation);
    drop_edit(mirror, one.entry.id);
}

std::optional<AppliedWrite> apply(Writer& outbox, const SharedWrite& write, bool here, Instant kept_since)
{
    const std::int64_t id = write.entry.id;
    AppliedWrite applied;
    applied.entry = write.entry;
    applied.number = write.number;
    applied.gone = write.discarded;
    if (write.discarded) {
        // A row that a purge emptied does not say any more whose line it was in.
        applied.entry.conversation = outbox.one<ConversationId>("SELECT conversation FROM entry WHERE id = ?1", id);
        return outbox.run("DELETE FROM entry WHERE id = ?1", id) > 0 ? std::optional(applied) : std::nullopt;
    }
    const bool old = is_settled(write) && write.settled_at && *write.settled_at < kept_since;
    const bool needs_person = write.entry.state == EntryState::failed && !write.told;
    if (!here && old && !needs_person) return std::nullopt;
    make_room(outbox, write);
    if (!here) insert(outbox, write);
    update(outbox, write);
    applied.is_new = !here;
    return applied;
}

// Of a node that hands over, after the database was put back, what it knows to be delivered.
bool is_overtaken(Reader& outbox, const Entry& entry, const std::unordered_set<std::int64_t>& together)
{
    if (entry.state != EntryState::delivered || !entry.conversation) return false;
    const bool names_it = entry.kind == EditKind::title || entry.kind == EditKind::update;
    const std::optional<std::string> chat = entry.chat ? std::optional(entry.chat->value) : std::nullopt;
    const std::vector<std::int64_t> later = outbox.all<std::int64_t>(
        "SELECT id FROM entry WHERE conversation = ?1 AND state = 'delivered' AND place > ?2 AND chat IS ?3"
        " AND kind IN (?4, ?5)",
        entry.conversation->value, entry.place, chat, name_of(names_it ? EditKind::title : entry.kind),
        name_of(names_it ? EditKind::update : entry.kind));
    return std::any_of(later.begin(), later.end(), [&](const std::int64_t id) { return !together.contains(id); });
}

// Of two that are heard of together the later one stands, whichever changed last.
std::vector<const AppliedWrite*> in_turn(std::span<const AppliedWrite> applied)
{
    std::vector<const AppliedWrite*> all;
    for (const AppliedWrite& one : applied) all.push_back(&one);
    std::stable_sort(all.begin(), all.end(),
                     [](const auto* one, const auto* other) { return one->entry.place < other->entry.place; });
    return all;
}

SharedWrite read_stray(const Row& row) // ALLI_ENTRY_COLUMNS, body, response, and what shared ones have beside
{
    SharedWrite stray;
    stray.entry = read_whole_entry(row);
    part_key(row.optional_text(22), stray.principal, stray.client_key);
    stray.request_hash = row.text(23);
    stray.crashes = static_cast<int>(row.integer(24));
    stray.told = row.integer(25) != 0;
    stray.settled_at = row.optional_instant(26);
    if (!row.is_null(27))
        stray.foreign = ForeignNote{std::string(row.text(27)), row.optional_text(28).value_or(""), row.integer(29),
                                    row.optional_instant(30)};
    stray.unproven_at = row.optional_instant(31);
    return stray;
}

const std::string strays_sql = "SELECT " ALLI_ENTRY_COLUMNS
                               ", body, response, client_key, request_hash, crashes, told, settled_at, foreign_answer,"
                               " foreign_said, foreign_count, foreign_since, unproven_at FROM entry";

} // namespace

NewWrite new_write(NewEntry entry)
{
    NewWrite write;
    part_key(std::move(entry.client_key), write.principal, write.entry.client_key);
    entry.client_key = std::move(write.entry.client_key);
    write.entry = std::move(entry);
    return write;
}

std::optional<WritesPosition> find_writes_position(Reader& outbox)
{
    const auto text = find_meta<std::string>(outbox, position_name);
    if (!text) return std::nullopt;
    const std::size_t store = text->find('\n'), number = text->find('\n', store + 1);
    if (number == text->npos) return std::nullopt;
    return WritesPosition{text->substr(0, store), std::stoll(text->substr(store + 1, number - store - 1)),
                          text->substr(number + 1)};
}

void put_writes_position(Writer& outbox, const WritesPosition& position)
{
    put_meta(outbox, position_name, fmt::format("{}\n{}\n{}", position.store, position.number, position.nonce));
}

void forget_writes_position(Writer& outbox)
{
    drop_meta(outbox, position_name);
}

std::vector<std::int64_t> find_later(Reader& outbox, std::int64_t number)
{
    return outbox.all<std::int64_t>("SELECT id FROM entry WHERE id > ?1", number);
}

SuppressedNames find_suppressed_names(Store& store, std::span<const SharedWrite> writes)
{
    SuppressedNames names;
    if (!store.has_suppressions()) return names;
    NamedInOutbox named;
    for (const SharedWrite& write : writes) {
        const Entry& entry = write.entry;
        const auto conversation = entry.conversation ? std::optional(entry.conversation->value) : std::nullopt;
        add_named(named, conversation, entry.headers, entry.body, entry.base.value_or(""));
    }
    names.any = true;
    names.conversations = store.read([&](Reader& mirror) { return find_known(mirror, named.conversations); });
    names.users = std::move(named.users);
    return names;
}

std::vector<ErasedWrite> find_erased(Reader& outbox, std::span<const SharedWrite> writes, const SuppressedNames& names)
{
    std::vector<ErasedWrite> erased;
    if (!names.any) return erased;
    SuppressedOfOutbox suppressed = find_suppressed(outbox, names.conversations, names.users);
    if (suppressed.users.empty()) suppressed.users.emplace_back();
    for (const SharedWrite& write : writes) {
        const Entry& entry = write.entry;
        if (write.discarded && entry.path.empty()) continue;
        ErasedWrite left{entry.id, write.number, entry.body, entry.base};
        bool affected = false;
        for (const PurgeOptions& user : suppressed.users) {
            if (!left.body) break;
            auto rest =
                find_rest(entry.conversation, entry.headers, *left.body, left.base, user, suppressed.conversations);
            if (!rest) continue;
            affected = true;
            left.body = std::move(rest->body);
            left.base = std::move(rest->base);
        }
        if (affected) erased.push_back(std::move(left));
    }
    return erased;
}

std::optional<std::int64_t> find_looked_through(Reader& outbox)
{
    return find_meta<std::int64_t>(outbox, looked_through_name);
}

void put_looked_through(Writer& outbox, std::int64_t version)
{
    put_meta(outbox, looked_through_name, version);
}

AppliedWrites apply_writes(Writer& outbox, std::span<const SharedWrite> writes, Instant kept_since,
                           const SuppressedNames& names)
{
    AppliedWrites done;
    std::vector<AppliedWrite>& all = done.writes;
    for (const SharedWrite& write : writes) {
        const auto key = upstream_key_of(outbox, write.entry.id);
        if (key && *key != write.entry.upstream_key)
            done.refused.push_back(write.entry.id);
        else if (auto applied = apply(outbox, write, key.has_value(), kept_since))
            all.push_back(std::move(*applied));
    }
    std::unordered_set<std::int64_t> together;
    for (const AppliedWrite& one : all) together.insert(one.entry.id);
    for (AppliedWrite& one : all) one.is_overtaken = is_overtaken(outbox, one.entry, together);
    if (!names.any) return done;
    const PurgedWrites purged = purge_suppressed_writes(outbox, names.conversations, names.users);
    const std::unordered_set<std::int64_t> gone(purged.removed.begin(), purged.removed.end());
    for (AppliedWrite& one : all) one.gone = one.gone || gone.contains(one.entry.id);
    return done;
}

void find_heads(Reader& outbox, std::span<AppliedWrite> applied)
{
    for (AppliedWrite& one : applied) {
        const auto head = find_head(outbox, one.entry.conversation);
        one.heads_line = head && head->id == one.entry.id;
    }
}

void show_writes(Writer& mirror, std::span<const AppliedWrite> applied)
{
    without_notes(mirror, [&] {
        for (const AppliedWrite* const one : in_turn(applied)) show(mirror, *one, {});
        forget_confirmed(mirror, Clock::Steady::max());
    });
}

void show_writes(Writer& mirror, std::span<const AppliedWrite> applied, const Confirmation& when)
{
    for (const AppliedWrite* const one : in_turn(applied)) show(mirror, *one, when);
}

std::vector<SharedWrite> find_strays(Reader& outbox, const std::vector<std::string>& known, Instant since)
{
    const std::unordered_set<std::string> keys(known.begin(), known.end());
    const std::string sql = strays_sql + " WHERE settled_at IS NULL OR settled_at >= ?1"
                                         " OR (state = 'failed' AND told = 0) ORDER BY place";
    std::vector<SharedWrite> strays;
    for (const Row row : outbox.query(sql, since)) {
        SharedWrite one = read_stray(row);
        if (!keys.contains(one.entry.upstream_key)) strays.push_back(std::move(one));
    }
    return strays;
}

std::vector<SharedWrite> find_moved(Reader& outbox, const std::map<std::string, std::int64_t>& there)
{
    std::vector<std::int64_t> ids;
    for (const Row row : outbox.query("SELECT id, upstream_key FROM entry")) {
        const auto known = there.find(std::string(row.text(1)));
        if (known != there.end() && known->second != row.integer(0)) ids.push_back(row.integer(0));
    }
    std::vector<SharedWrite> moved;
    for (const std::int64_t id : ids)
        for (const Row row : outbox.query(strays_sql + " WHERE id = ?1", id)) moved.push_back(read_stray(row));
    return moved;
}

std::vector<SharedWrite> find_delivered(Reader& outbox, std::span<const SharedWrite> there)
{
    std::unordered_set<std::string> open;
    for (const SharedWrite& one : there)
        if (one.is_open()) open.insert(one.entry.upstream_key);
    std::vector<SharedWrite> delivered;
    if (open.empty()) return delivered;
    std::vector<std::int64_t> ids;
    for (const Row row : outbox.query("SELECT id, upstream_key FROM entry WHERE state = 'delivered'"))
        if (open.contains(std::string(row.text(1)))) ids.push_back(row.integer(0));
    for (const std::int64_t id : ids)
        for (const Row row : outbox.query(strays_sql + " WHERE id = ?1", id)) delivered.push_back(read_stray(row));
    return delivered;
}

void remove_write(Writer& outbox, std::int64_t id)
{
    outbox.run("DELETE FROM entry WHERE id = ?1", id);
}

void move_write(Writer& outbox, std::int64_t id, std::int64_t to)
{
    outbox.run("UPDATE OR IGNORE entry SET id = ?2 WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM entry AS other, entry AS"
               " it WHERE other.id = ?2 AND it.id = ?1 AND other.upstream_key <> it.upstream_key)",
               id, to);
    outbox.run("DELETE FROM entry WHERE id = ?1 AND EXISTS (SELECT 1 FROM entry AS same WHERE same.id = ?2"
               " AND same.upstream_key = entry.upstream_key)",
               id, to);
}

void remove_settled(Writer& outbox, std::int64_t id, Instant before)
{
    outbox.run("DELETE FROM entry WHERE id = ?1 AND settled_at < ?2 AND (state = 'delivered' OR told = 1)", id, before);
}

WriteOutcome whole_outcome(Reader& outbox, std::int64_t id, Outcome outcome)
{
    WriteOutcome whole;
    whole.outcome = std::move(outcome);
    const auto read = [&](const Row& row) {
        if (!row.is_null(0))
            whole.foreign = ForeignNote{std::string(row.text(0)), row.optional_text(1).value_or(""), row.integer(2),
                                        row.optional_instant(3)};
        whole.unproven_at = row.optional_instant(4);
        return true;
    };
    outbox.one(
        read, "SELECT foreign_answer, foreign_said, foreign_count, foreign_since, unproven_at FROM entry WHERE id = ?1",
        id);
    return whole;
}

} // namespace alli::cache
