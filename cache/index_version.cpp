// SPDX-License-Identifier: Apache-2.0
// The index made anew after a change of version, and cleaned of what was removed.
#include "cache/conversations.hpp"
#include "cache/index.hpp"
#include "cache/number.hpp"

#include <array>
#include <limits>

namespace alli::cache {
namespace {

constexpr std::array tables{"chat_words", "chat_letters", "conversation_words"};
constexpr std::int64_t above_all = std::numeric_limits<std::int64_t>::max();
constexpr int step_rows = 500; // a few milliseconds
constexpr std::size_t step_bytes = 1 << 20;

std::string definition_of(Writer& db, std::string_view table)
{
    for (const Row row : db.query("SELECT sql FROM sqlite_schema WHERE name = ?1", table))
        return std::string(row.text(0));
    return {};
}

void drop_old(Writer& db)
{
    for (const char* table : tables) db.script(fmt::format("DROP TABLE IF EXISTS old_{}", table));
}

// Sets the tables aside, or drops them where even they were not finished, and makes empty ones.
void start_anew(Writer& db, bool keep)
{
    drop_old(db);
    for (const char* table : tables) {
        const std::string sql = definition_of(db, table);
        db.script(keep ? fmt::format("ALTER TABLE {0} RENAME TO old_{0}", table) : fmt::format("DROP TABLE {}", table));
        db.script(sql);
    }
}

std::optional<std::int64_t> bound_of_nothing(Writer& db, const std::string& kind)
{
    const bool empty = number_of(db, fmt::format("SELECT EXISTS (SELECT 1 FROM {})", kind)) == 0;
    return empty ? std::nullopt : std::optional(above_all);
}

void set_bound(Writer& db, std::string_view kind, std::optional<std::int64_t> bound)
{
    db.run("UPDATE word_index SET bound = ?2 WHERE kind = ?1", kind, bound);
}

// What a step found below the bound: how far down it came, and whether there may be more.
struct Found {
    int rows = 0;
    std::int64_t lowest = above_all;
    std::size_t bytes = 0;

    bool is_full() const { return rows == step_rows || bytes >= step_bytes; }
};

Found add_chats_below(Writer& db, std::int64_t bound)
{
    Found found;
    for (const Row row :
         db.query("SELECT pk, raw FROM chat WHERE pk < ?1"
                  " AND NOT EXISTS (SELECT 1 FROM word_moved m WHERE m.kind = 'chat' AND m.pk = chat.pk)"
                  " ORDER BY pk DESC LIMIT ?2",
                  bound, step_rows)) {
        db.words().add_chat(row.integer(0), words_of_chat(row.text(1)));
        ++found.rows, found.lowest = row.integer(0), found.bytes += row.text(1).size();
        if (found.is_full()) break;
    }
    set_bound(db, "chat", found.lowest);
    db.words().flush(db);
    return found;
}

Found add_conversations_below(Writer& db, std::int64_t bound)
{
    Found found;
    for (const Row row : db.query("SELECT pk, title, user_id, user_name, memo FROM conversation WHERE pk < ?1"
                                  " AND NOT EXISTS (SELECT 1 FROM word_moved m WHERE m.kind = 'conversation' AND"
                                  " m.pk = conversation.pk) ORDER BY pk DESC LIMIT ?2",
                                  bound, step_rows)) {
        db.words().add_conversation(row.integer(0), words_of_stored(row, 1));
        ++found.rows, found.lowest = row.integer(0);
    }
    set_bound(db, "conversation", found.lowest);
    db.words().flush(db);
    return found;
}

// True: there is more to do.
bool extend(Writer& db, IndexKind kind, std::string_view name, Found (*add_below)(Writer&, std::int64_t))
{
    const auto bound = load_index_state(db, kind).bound;
    if (!bound) return false;
    if (!add_below(db, *bound).is_full()) {
        set_bound(db, name, std::nullopt);
        db.run("DELETE FROM word_moved WHERE kind = ?1", name);
    }
    return true;
}

} // namespace

static void begin_anew(Writer& db)
{
    db.run("DELETE FROM word_moved");
    for (const std::string kind : {"chat", "conversation"}) set_bound(db, kind, bound_of_nothing(db, kind));
    db.run("UPDATE word_index SET version = ?1", index_version);
}

void check_index(Writer& db)
{
    for (const Row row : db.query("SELECT min(version), max(bound) IS NOT NULL FROM word_index")) {
        const std::int64_t version = row.integer(0);
        const bool unfinished = row.integer(1) != 0;
        if (version == index_version) return;
        in_transaction(db, [&] {
            if (version != 0) start_anew(db, !unfinished);
            begin_anew(db);
        });
        return;
    }
}

void rebuild_index(Writer& db)
{
    start_anew(db, false);
    begin_anew(db);
}

bool extend_index(Writer& db)
{
    db.words().flush(db); // which of them are below the bound, is told by the bound there was
    if (extend(db, IndexKind::chat, "chat", &add_chats_below)) return true;
    if (extend(db, IndexKind::conversation, "conversation", &add_conversations_below)) return true;
    if (load_index_state(db, IndexKind::chat).has_old) drop_old(db);
    return false;
}

bool scour_index(Writer& db)
{
    constexpr std::int64_t pages = 250; // a megabyte
    db.words().flush(db);
    const bool under_way = number_of(db, "SELECT max(removed & 2) FROM word_index") != 0;
    if (!under_way && number_of(db, "SELECT max(removed) FROM word_index") == 0) return false;
    if (!under_way) db.script("UPDATE word_index SET removed = 2");
    bool more = false;
    for (const char* table : tables) {
        const std::int64_t before = db.total_changes();
        db.run(fmt::format("INSERT INTO {0} ({0}, rank) VALUES ('merge', ?1)", table), under_way ? pages : -pages);
        more = more || db.total_changes() - before >= 2; // one is the statement's own
    }
    if (!more) db.script("UPDATE word_index SET removed = removed & 1");
    return more;
}

} // namespace alli::cache
