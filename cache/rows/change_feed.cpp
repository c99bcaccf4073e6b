// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/change_feed.hpp"

#include "alli/error.hpp"
#include "cache/db/meta.hpp"

#include <sys/stat.h>
#include <time.h>

#include <array>

namespace alli::cache {
namespace {

// More than the commits that a power cut can lose, in case the clock is wrong.
constexpr std::int64_t margin = 1'000'000;
constexpr std::chrono::seconds tolerance{2};

std::int64_t last_number(Reader& db)
{
    return db.one<std::int64_t>("SELECT seq FROM sqlite_sequence WHERE name = 'change'").value_or(0);
}

// Whether the file holds everything that was ever committed to the feed.
bool holds_all(Writer& db, FeedPlace place)
{
    if (!find_meta<std::int64_t>(db, "feed_first")) return false;
    const auto inode = find_meta<std::int64_t>(db, "feed_inode"),
               booted_at = find_meta<std::int64_t>(db, "feed_booted_at");
    if (!inode || !booted_at) return true; // closed in order
    const Instant then{std::chrono::microseconds(*booted_at)};
    return *inode == place.inode && std::chrono::abs(place.booted_at - then) <= tolerance;
}

// A file of an earlier version: a restart left the numbers of what it held, which nobody can go on from.
bool has_numbers_of_before(Reader& db)
{
    const auto oldest = db.one<std::int64_t>("SELECT seq FROM change ORDER BY seq LIMIT 1");
    return oldest && *oldest <= find_meta<std::int64_t>(db, "feed_first").value_or(0);
}

// Up to so many visible conversations the join starts from them; with more, the newest changes contain one soon.
constexpr std::int64_t few = 2000;

bool are_few(Reader& db, const Visibility& seen)
{
    const std::string_view column = seen.user.empty() ? "app_id" : "user_id";
    return db.require<std::int64_t>(
               fmt::format("SELECT count(*) FROM (SELECT 1 FROM conversation WHERE {} = ?1 LIMIT ?2)", column),
               seen.user.empty() ? seen.app : seen.user, few) < few;
}

// The left table of the join is the outer loop. Without the unary plus, which takes the type off, SQLite would not look
// up a key in an index of keys and ids.
std::string visible_from(bool by_conversation, const Visibility& seen)
{
    const std::string_view index = seen.user.empty() ? "conversation_by_app" : "conversation_by_user";
    const std::string tables =
        by_conversation
            ? fmt::format("conversation c INDEXED BY {} CROSS JOIN change h ON h.conversation = +c.pk", index)
            : "change h CROSS JOIN conversation c ON c.pk = h.conversation";
    return fmt::format(
        " FROM {} WHERE {} AND typeof(h.conversation) = 'integer' AND h.kind <> 'deleted'"
        " AND h.seq > ?3",
        tables, seen.user.empty() ? "c.app_id = ?1 AND ?2 = ''" : "(?1 = '' OR c.app_id = ?1) AND c.user_id = ?2");
}

} // namespace

std::string_view name_of(ChangeKind kind) noexcept
{
    constexpr std::array<std::string_view, 4> names{"conversation", "chats", "deleted", "outbox"};
    return names[static_cast<std::size_t>(kind)];
}

void note_change(Writer& db, const ConversationId& id, ChangeKind kind)
{
    // Beside the change of that kind itself.
    constexpr std::array<std::array<std::string_view, 2>, 4> outdated{
        {{"deleted", ""}, {"", ""}, {"conversation", "chats"}, {"", ""}}};
    const auto& [one, another] = outdated[static_cast<std::size_t>(kind)];
    db.run("DELETE FROM change WHERE conversation = coalesce((SELECT pk FROM conversation WHERE id = ?1), ?1)"
           " AND kind IN (?2, ?3, ?4)",
           id.value, name_of(kind), one, another);
    db.run("INSERT INTO change (conversation, kind_code)"
           " VALUES (coalesce((SELECT pk FROM conversation WHERE id = ?1), ?1), ?2)",
           id.value, static_cast<int>(kind));
}

void name_changes_by_row(Writer& db, std::int64_t pk, const ConversationId& id)
{
    db.run("UPDATE change SET conversation = ?1 WHERE conversation = ?2", pk, id.value);
}

void name_changes_by_id(Writer& db, std::int64_t pk, const ConversationId& id)
{
    db.run("UPDATE change SET conversation = ?2 WHERE conversation = ?1", pk, id.value);
}

static Change read_change(const Row& row) // seq, conversation, kind
{
    return {row.integer(0), row.get<ConversationId>(1), std::string(row.text(2))};
}

std::vector<Change> load_changes(Reader& db, std::int64_t since, int limit)
{
    return db.all(&read_change,
                  "SELECT seq, coalesce(c.id, h.conversation), kind FROM change h LEFT JOIN conversation c"
                  " ON typeof(h.conversation) = 'integer' AND c.pk = h.conversation"
                  " WHERE seq > ?1 ORDER BY seq LIMIT ?2",
                  since, limit);
}

std::vector<Change> load_visible_changes(Reader& db, const Visibility& seen, std::int64_t since, int limit)
{
    if (seen.is_whole()) return load_changes(db, since, limit);
    const bool by_conversation = last_number(db) - since > few && are_few(db, seen);
    const std::string sql =
        "SELECT h.seq, c.id, h.kind" + visible_from(by_conversation, seen) + " ORDER BY h.seq LIMIT ?4";
    return db.all(&read_change, sql, seen.app, seen.user, since, limit);
}

std::int64_t last_visible_change(Reader& db, const Visibility& seen)
{
    const std::string sql = "SELECT h.seq" + visible_from(are_few(db, seen), seen) + " ORDER BY h.seq DESC LIMIT 1";
    const auto last = db.one<std::int64_t>(sql, seen.app, seen.user, 0);
    return last ? *last : find_meta<std::int64_t>(db, "feed_first").value_or(0);
}

FeedBounds load_feed_bounds(Reader& db)
{
    FeedBounds bounds;
    bounds.first = find_meta<std::int64_t>(db, "feed_first").value_or(0);
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
    return find_meta<std::int64_t>(db, "feed_inode").has_value();
}

void open_feed(Writer& db, FeedPlace place, Instant now)
{
    if (!holds_all(db, place) || has_numbers_of_before(db)) restart_feed(db, now);
    put_meta(db, "feed_inode", place.inode);
    put_meta(db, "feed_booted_at", place.booted_at.time_since_epoch().count());
}

void close_feed(Writer& db)
{
    drop_meta(db, "feed_inode");
    drop_meta(db, "feed_booted_at");
}

void restart_feed(Writer& db, Instant now)
{
    const std::int64_t known = std::max(last_number(db), find_meta<std::int64_t>(db, "feed_first").value_or(0));
    const std::int64_t first = std::max(now.time_since_epoch().count(), known > 0 ? known + margin : 0);
    // All changes get numbers anew: one who begins again reads page by page, and goes on from each number given out.
    db.run("CREATE TEMP TABLE kept_change AS SELECT conversation, kind_code FROM change ORDER BY seq");
    db.run("DELETE FROM change");
    db.run("DELETE FROM sqlite_sequence WHERE name = 'change'");
    db.run("INSERT INTO sqlite_sequence (name, seq) VALUES ('change', ?1)", first);
    db.run("INSERT INTO change (conversation, kind_code) SELECT conversation, kind_code FROM kept_change"
           " ORDER BY rowid");
    db.run("DROP TABLE kept_change");
    put_meta(db, "feed_first", first);
}

} // namespace alli::cache
