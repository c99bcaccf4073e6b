// SPDX-License-Identifier: Apache-2.0
#include "cache/changes.hpp"

#include "alli/error.hpp"

#include <sys/stat.h>
#include <time.h>

#include <array>

namespace alli::cache {
namespace {

constexpr std::int64_t margin =
    1'000'000; // more numbers than commits that a power cut takes away, if the clock is wrong
constexpr std::chrono::seconds tolerance{2};

std::optional<std::int64_t> find_fact(Connection& db, std::string_view name)
{
    for (const Row row : db.query("SELECT value FROM fact WHERE name = ?1", name)) return row.integer(0);
    return std::nullopt;
}

void put_fact(Writer& db, std::string_view name, std::int64_t value)
{
    db.run("INSERT OR REPLACE INTO fact (name, value) VALUES (?1, ?2)", name, value);
}

std::int64_t last_number(Reader& db)
{
    for (const Row row : db.query("SELECT seq FROM sqlite_sequence WHERE name = 'change'")) return row.integer(0);
    return 0;
}

// Whether everything that was ever committed to the feed is in this file.
bool holds_all(Writer& db, FeedPlace place)
{
    if (!find_fact(db, "feed_first")) return false;
    const auto inode = find_fact(db, "feed_inode"), booted_at = find_fact(db, "feed_booted_at");
    if (!inode || !booted_at) return true; // closed in order
    const Instant then{std::chrono::microseconds(*booted_at)};
    return *inode == place.inode && std::chrono::abs(place.booted_at - then) <= tolerance;
}

// Few rows of changes are looked up one by one, else few conversations are; of many, one comes soon.
constexpr std::int64_t few = 2000;

bool are_few(Reader& db, const Visibility& seen)
{
    Rows rows =
        seen.user.empty()
            ? db.query("SELECT count(*) FROM (SELECT 1 FROM conversation WHERE app_id = ?1 LIMIT ?2)", seen.app, few)
            : db.query("SELECT count(*) FROM (SELECT 1 FROM conversation WHERE user_id = ?1 LIMIT ?2)", seen.user, few);
    rows.step();
    return rows.row().integer(0) < few;
}

// Where the join starts: the left one leads.
std::string visible_from(bool by_conversation, const Visibility& seen)
{
    const std::string_view index = seen.user.empty() ? "conversation_by_app" : "conversation_by_user";
    const std::string tables =
        by_conversation
            ? fmt::format("conversation c INDEXED BY {} CROSS JOIN change h ON h.conversation = c.id", index)
            : "change h CROSS JOIN conversation c ON c.id = h.conversation";
    return fmt::format(" FROM {} WHERE {} AND h.kind <> 'deleted' AND h.seq > ?3", tables,
                       seen.user.empty() ? "c.app_id = ?1 AND ?2 = ''"
                                         : "(?1 = '' OR c.app_id = ?1) AND c.user_id = ?2");
}

} // namespace

std::string_view name_of(ChangeKind kind) noexcept
{
    constexpr std::array<std::string_view, 4> names{"conversation", "chats", "deleted", "outbox"};
    return names[static_cast<std::size_t>(kind)];
}

void note_change(Writer& db, const ConversationId& id, ChangeKind kind)
{
    if (kind == ChangeKind::deleted)
        db.run("DELETE FROM change WHERE conversation = ?1 AND kind IN ('conversation', 'chats')", id.value);
    if (kind == ChangeKind::conversation)
        db.run("DELETE FROM change WHERE conversation = ?1 AND kind = 'deleted'", id.value);
    db.run("INSERT OR REPLACE INTO change (conversation, kind) VALUES (?1, ?2)", id.value, name_of(kind));
}

std::vector<Change> load_changes(Reader& db, std::int64_t since, int limit)
{
    std::vector<Change> changes;
    for (const Row row :
         db.query("SELECT seq, conversation, kind FROM change WHERE seq > ?1 ORDER BY seq LIMIT ?2", since, limit))
        changes.push_back({row.integer(0), {std::string(row.text(1))}, std::string(row.text(2))});
    return changes;
}

std::vector<Change> load_visible_changes(Reader& db, const Visibility& seen, std::int64_t since, int limit)
{
    const bool by_conversation = last_number(db) - since > few && are_few(db, seen);
    const std::string sql =
        "SELECT h.seq, h.conversation, h.kind" + visible_from(by_conversation, seen) + " ORDER BY h.seq LIMIT ?4";
    std::vector<Change> changes;
    for (const Row row : db.query(sql, seen.app, seen.user, since, limit))
        changes.push_back({row.integer(0), {std::string(row.text(1))}, std::string(row.text(2))});
    return changes;
}

std::int64_t last_visible_change(Reader& db, const Visibility& seen)
{
    const std::string sql = "SELECT h.seq" + visible_from(are_few(db, seen), seen) + " ORDER BY h.seq DESC LIMIT 1";
    for (const Row row : db.query(sql, seen.app, seen.user, std::int64_t{0})) return row.integer(0);
    return find_fact(db, "feed_first").value_or(0);
}

FeedBounds load_feed_bounds(Reader& db)
{
    FeedBounds bounds;
    bounds.first = find_fact(db, "feed_first").value_or(0);
    bounds.last = std::max(last_number(db), bounds.first);
    return bounds;
}

FeedPlace feed_place(const std::string& path, Instant now)
{
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        throw Error(Fault::io, "look at the permissions of its directory", "{} cannot be looked at", path);
    timespec up{};
    ::clock_gettime(CLOCK_BOOTTIME, &up);
    const auto since_boot = std::chrono::seconds(up.tv_sec) + std::chrono::nanoseconds(up.tv_nsec);
    return {static_cast<std::int64_t>(status.st_ino),
            now - std::chrono::duration_cast<std::chrono::microseconds>(since_boot)};
}

bool was_left_open(Connection& db)
{
    return find_fact(db, "feed_inode").has_value();
}

void open_feed(Writer& db, FeedPlace place, Instant now)
{
    if (!holds_all(db, place)) restart_feed(db, now);
    put_fact(db, "feed_inode", place.inode);
    put_fact(db, "feed_booted_at", place.booted_at.time_since_epoch().count());
}

void close_feed(Writer& db)
{
    db.run("DELETE FROM fact WHERE name IN ('feed_inode', 'feed_booted_at')");
}

void restart_feed(Writer& db, Instant now)
{
    const std::int64_t known = std::max(last_number(db), find_fact(db, "feed_first").value_or(0));
    const std::int64_t first = std::max(now.time_since_epoch().count(), known > 0 ? known + margin : 0);
    db.run("DELETE FROM sqlite_sequence WHERE name = 'change'");
    db.run("INSERT INTO sqlite_sequence (name, seq) VALUES ('change', ?1)", first);
    put_fact(db, "feed_first", first);
}

} // namespace alli::cache
