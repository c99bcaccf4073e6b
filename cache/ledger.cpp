// SPDX-License-Identifier: Apache-2.0
#include "cache/ledger.hpp"

#include "alli/digest.hpp"
#include "cache/purge_rows.hpp"

#include <spdlog/fmt/fmt.h>

namespace alli::cache {
namespace {

enum class Kind : char { conversation = 'c', user = 'u' };

std::string hash_of(const std::string& key, Kind kind, const std::string& id)
{
    return std::string(bytes_of(seal(key, static_cast<char>(kind) + id)));
}

std::optional<std::string> find_key(Connection& db)
{
    for (const Row row : db.query("SELECT value FROM fact WHERE name = 'ledger_key'")) return std::string(row.text(0));
    return std::nullopt;
}

std::optional<Instant> find_limit(Connection& db)
{
    for (const Row row : db.query("SELECT value FROM fact WHERE name = 'purged_before'"))
        return row.optional_instant(0);
    return std::nullopt;
}

std::int64_t version_of(Connection& db)
{
    for (const Row row : db.query("SELECT value FROM fact WHERE name = 'ledger_version'")) return row.integer(0);
    return 0;
}

void put_fact(Writer& db, std::string_view name, auto value)
{
    db.run("INSERT OR REPLACE INTO fact (name, value) VALUES (?1, ?2)", name, value);
}

void put_hash(Writer& db, std::string_view hash)
{
    db.run("INSERT OR IGNORE INTO purged (hash) VALUES (?1)", hash);
}

bool holds(Connection& db, std::string_view hash)
{
    Rows rows = db.query("SELECT 1 FROM purged WHERE hash = ?1", hash);
    return rows.step();
}

// A later one covers an earlier one.
void put_limit(Writer& db, std::optional<Instant> before)
{
    const auto known = find_limit(db);
    if (before && (!known || *known < *before)) put_fact(db, "purged_before", *before);
}

// Those of them that are in the list.
std::set<std::string> find_hashes(Connection& db, std::span<const Value> hashes)
{
    std::string parameters; // of any number: a page's are prepared once
    for (std::size_t n = 1; n <= hashes.size(); ++n) parameters += fmt::format("{}?{}", n > 1 ? ", " : "", n);
    std::set<std::string> found;
    for (const Row row : db.query_values("SELECT hash FROM purged WHERE hash IN (" + parameters + ")", hashes))
        found.emplace(row.text(0));
    return found;
}

bool is_before(std::optional<Instant> limit, std::optional<Instant> last_chat_at, std::optional<Instant> created_at)
{
    const auto when = last_chat_at ? last_chat_at : created_at;
    return limit && when && *when < *limit;
}

bool is_too_old(Connection& db, std::optional<Instant> last_chat_at, std::optional<Instant> created_at)
{
    return is_before(find_limit(db), last_chat_at, created_at);
}

} // namespace

bool has_ledger(Connection& db)
{
    return find_key(db).has_value();
}

bool is_purged(Connection& db, const ConversationId& id)
{
    const auto key = find_key(db);
    return key && holds(db, hash_of(*key, Kind::conversation, id.value));
}

bool keeps_out(Connection& db, const Conversation& conversation)
{
    const auto key = find_key(db);
    if (!key) return false;
    return holds(db, hash_of(*key, Kind::conversation, conversation.id.value)) ||
           (conversation.user_id && holds(db, hash_of(*key, Kind::user, *conversation.user_id))) ||
           is_too_old(db, conversation.last_chat_at, conversation.created_at);
}

std::vector<bool> keeps_out(Connection& db, std::span<const Conversation> listed)
{
    std::vector<bool> out(listed.size());
    const auto key = find_key(db);
    if (!key) return out;
    std::vector<Value> hashes; // two for each: where no user is known, the conversation's again
    for (const Conversation& one : listed) {
        hashes.emplace_back(hash_of(*key, Kind::conversation, one.id.value));
        hashes.push_back(one.user_id ? hash_of(*key, Kind::user, *one.user_id) : hashes.back());
    }
    const std::set<std::string> purged = find_hashes(db, hashes);
    const auto limit = find_limit(db);
    for (std::size_t i = 0; i < listed.size(); ++i)
        out[i] = purged.contains(std::get<std::string>(hashes[2 * i])) ||
                 purged.contains(std::get<std::string>(hashes[2 * i + 1])) ||
                 is_before(limit, listed[i].last_chat_at, listed[i].created_at);
    return out;
}

void note_kept_out(Writer& mirror, const Conversation& conversation)
{
    note_purged_day(mirror, conversation.created_at);
    const auto key = find_key(mirror);
    if (key && !is_too_old(mirror, conversation.last_chat_at, conversation.created_at))
        put_hash(mirror, hash_of(*key, Kind::conversation, conversation.id.value));
}

void note_purged_day(Writer& mirror, std::optional<Instant> created_at)
{
    if (!created_at) return;
    const auto day = std::chrono::floor<std::chrono::days>(*created_at).time_since_epoch().count();
    mirror.run("INSERT OR IGNORE INTO purged_day (day) VALUES (?1)", static_cast<std::int64_t>(day));
}

PurgedDays load_purged_days(Reader& mirror)
{
    PurgedDays purged;
    purged.before = find_limit(mirror);
    for (const Row row : mirror.query("SELECT day FROM purged_day"))
        purged.days.insert(std::chrono::sys_days(std::chrono::days(row.integer(0))));
    return purged;
}

void add_to_ledger(Writer& outbox, const LedgerEntry& entry, const std::string& key)
{
    if (!has_ledger(outbox)) put_fact(outbox, "ledger_key", key);
    const std::string own = *find_key(outbox);
    for (const ConversationId& id : entry.conversations) put_hash(outbox, hash_of(own, Kind::conversation, id.value));
    if (entry.user) put_hash(outbox, hash_of(own, Kind::user, *entry.user));
    put_limit(outbox, entry.before);
    put_fact(outbox, "ledger_version", version_of(outbox) + 1);
}

Ledger load_ledger(Connection& db)
{
    Ledger ledger;
    ledger.key = find_key(db).value_or("");
    ledger.version = version_of(db);
    ledger.before = find_limit(db);
    for (const Row row : db.query("SELECT hash FROM purged")) ledger.hashes.emplace_back(row.text(0));
    return ledger;
}

void put_ledger(Writer& db, const Ledger& ledger)
{
    if (find_key(db) != ledger.key) db.run("DELETE FROM purged"); // hashes by another key say nothing
    put_fact(db, "ledger_key", ledger.key);
    for (const std::string& hash : ledger.hashes) put_hash(db, hash);
    put_limit(db, ledger.before);
}

void finish_ledger(Writer& db, std::int64_t version)
{
    if (version_of(db) + 1 == version) put_fact(db, "ledger_version", version);
}

void adopt_ledger(Writer& mirror, Writer& outbox)
{
    if (!has_ledger(outbox) && has_ledger(mirror))
        in_transaction(outbox, [&] {
            put_ledger(outbox, load_ledger(mirror));
            put_fact(outbox, "ledger_version", version_of(mirror));
        });
    if (find_key(mirror) == find_key(outbox) && version_of(mirror) == version_of(outbox)) return;
    in_transaction(mirror, [&] { put_ledger(mirror, load_ledger(outbox)); });
    erase_purged(mirror);
    in_transaction(mirror, [&] { put_fact(mirror, "ledger_version", version_of(outbox)); });
}

} // namespace alli::cache
