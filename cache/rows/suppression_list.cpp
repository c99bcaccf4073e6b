// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/suppression_list.hpp"

#include "alli/digest.hpp"
#include "cache/db/meta.hpp"

#include <spdlog/fmt/fmt.h>

namespace alli::cache {
namespace {

enum class Kind : char { conversation = 'c', user = 'u' };

// In the table of single facts.
constexpr std::string_view key_name = "ledger_key", horizon_name = "retention_horizon",
                           shared_key_name = "cluster_ledger_key";

std::string hash_of(const std::string& key, Kind kind, const std::string& id)
{
    return std::string(bytes_of(seal(key, static_cast<char>(kind) + id)));
}

std::optional<std::string> find_key(Connection& db)
{
    return find_meta<std::string>(db, key_name);
}

std::optional<Instant> find_limit(Connection& db)
{
    return find_meta<Instant>(db, "purged_before");
}

void put_hash(Writer& db, std::string_view hash)
{
    db.run("INSERT OR IGNORE INTO purged (hash) VALUES (?1)", hash);
}

bool holds(Connection& db, std::string_view hash)
{
    return db.exists("SELECT 1 FROM purged WHERE hash = ?1", hash);
}

// A later one covers an earlier one.
void put_limit(Writer& db, std::optional<Instant> before)
{
    const auto known = find_limit(db);
    if (before && (!known || *known < *before)) put_meta(db, "purged_before", *before);
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

std::int64_t suppression_version(Connection& db)
{
    return find_meta<std::int64_t>(db, "ledger_version").value_or(0);
}

void put_suppression_version(Writer& db, std::int64_t version)
{
    put_meta(db, "ledger_version", version);
}

bool is_same_suppression_list(Connection& a, Connection& b)
{
    return find_key(a) == find_key(b) && suppression_version(a) == suppression_version(b);
}

bool has_suppression_list(Connection& db)
{
    return find_key(db).has_value();
}

bool is_purged(Connection& db, const ConversationId& id)
{
    const auto key = find_key(db);
    return key && holds(db, hash_of(*key, Kind::conversation, id.value));
}

namespace {

bool is_suppressed_by(Connection& db, const std::string& key, const Conversation& conversation)
{
    return holds(db, hash_of(key, Kind::conversation, conversation.id.value)) ||
           (conversation.user_id && holds(db, hash_of(key, Kind::user, *conversation.user_id))) ||
           is_too_old(db, conversation.last_chat_at, conversation.created_at);
}

} // namespace

bool is_suppressed(Connection& db, const Conversation& conversation)
{
    const auto key = find_key(db);
    return key && is_suppressed_by(db, *key, conversation);
}

KeptOut find_kept_out(Connection& db, const Conversation& conversation)
{
    KeptOut found; // one statement for both: each row that is stored asks
    for (const Row row : db.query("SELECT (SELECT value FROM fact WHERE name = ?1),"
                                  " (SELECT value FROM fact WHERE name = ?2)",
                                  key_name, horizon_name)) {
        const auto key = row.get<std::optional<std::string>>(0);
        found.suppressed = key && is_suppressed_by(db, *key, conversation);
        found.too_old = is_before_horizon(row.get<std::optional<Instant>>(1), conversation);
    }
    return found;
}

std::vector<bool> is_suppressed(Connection& db, std::span<const Conversation> listed)
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

void note_suppressed(Writer& mirror, const Conversation& conversation)
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

std::optional<Instant> find_horizon(Connection& mirror)
{
    return find_meta<Instant>(mirror, horizon_name);
}

void put_horizon(Writer& mirror, std::optional<Instant> horizon)
{
    if (horizon)
        put_meta(mirror, horizon_name, *horizon);
    else
        drop_meta(mirror, horizon_name);
}

bool is_before_horizon(std::optional<Instant> horizon, const Conversation& conversation)
{
    return is_before(horizon, conversation.last_chat_at, conversation.created_at);
}

PurgedDays load_purged_days(Reader& mirror)
{
    PurgedDays purged;
    purged.before = find_limit(mirror);
    if (const auto horizon = find_horizon(mirror)) purged.before = std::max(purged.before.value_or(*horizon), *horizon);
    for (const int day : mirror.all<int>("SELECT day FROM purged_day"))
        purged.days.insert(std::chrono::sys_days(std::chrono::days(day)));
    return purged;
}

void suppress(Writer& outbox, const Suppression& entry, const std::string& key)
{
    if (!has_suppression_list(outbox)) put_meta(outbox, key_name, find_shared_key(outbox).value_or(key));
    const std::string own = *find_key(outbox);
    for (const ConversationId& id : entry.conversations) put_hash(outbox, hash_of(own, Kind::conversation, id.value));
    if (entry.user) put_hash(outbox, hash_of(own, Kind::user, *entry.user));
    put_limit(outbox, entry.before);
    put_suppression_version(outbox, suppression_version(outbox) + 1);
}

void put_shared_key(Writer& outbox, const std::string& key)
{
    put_meta(outbox, shared_key_name, key);
}

std::optional<std::string> find_shared_key(Connection& outbox)
{
    return find_meta<std::string>(outbox, shared_key_name);
}

SuppressionList load_suppression_list(Connection& db)
{
    SuppressionList list;
    list.key = find_key(db).value_or("");
    list.version = suppression_version(db);
    list.before = find_limit(db);
    list.hashes = db.all<std::string>("SELECT hash FROM purged");
    return list;
}

void put_suppression_list(Writer& db, const SuppressionList& list)
{
    if (find_key(db) != list.key) db.run("DELETE FROM purged"); // hashes by another key say nothing
    put_meta(db, key_name, list.key);
    for (const std::string& hash : list.hashes) put_hash(db, hash);
    put_limit(db, list.before);
}

bool merge_suppression_list(Writer& db, const SuppressionList& list)
{
    const SuppressionList before = load_suppression_list(db);
    put_suppression_list(db, list);
    const bool changed = before.key != list.key || find_limit(db) != before.before ||
                         db.require<std::int64_t>("SELECT count(*) FROM purged") != std::ssize(before.hashes);
    if (changed) put_suppression_version(db, before.version + 1);
    return changed;
}

void finish_suppression(Writer& db, std::int64_t version)
{
    if (suppression_version(db) + 1 == version) put_suppression_version(db, version);
}

} // namespace alli::cache
