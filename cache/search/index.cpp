// SPDX-License-Identifier: Apache-2.0
#include "cache/search/index.hpp"

#include "cache/chats/chat_texts.hpp"
#include "cache/chats/facts.hpp"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <limits>

namespace alli::cache {
namespace {

struct Table {
    const char* name;
    IndexKind kind;
};
constexpr std::array tables{Table{"chat_words", IndexKind::chat}, Table{"chat_letters", IndexKind::chat},
                            Table{"conversation_words", IndexKind::conversation}};
// As a bound: all that the tables hold is outdated.
constexpr std::int64_t above_all = std::numeric_limits<std::int64_t>::max();
constexpr int step_rows = 500; // a few milliseconds
constexpr std::size_t step_bytes = 1 << 20;

void empty_tables(Writer& db, IndexKind kind)
{
    for (const Table& table : tables) {
        if (table.kind != kind) continue;
        const auto sql = db.require<std::string>("SELECT sql FROM sqlite_schema WHERE name = ?1", table.name);
        db.script(fmt::format("DROP TABLE {}", table.name));
        db.script(sql);
    }
}

void set_bound(Writer& db, IndexKind kind, std::optional<std::int64_t> bound)
{
    db.run("UPDATE word_index SET bound = ?2 WHERE kind = ?1", name_of(kind), bound);
}

// What a step read below the bound: how far down it came, and whether there may be more.
struct Step {
    int rows = 0;
    std::int64_t lowest = above_all;
    std::size_t bytes = 0;

    bool is_full() const { return rows == step_rows || bytes >= step_bytes; }
};

Step add_chats_below(Writer& db, std::int64_t bound)
{
    Step step;
    for (const Row row :
         db.query("SELECT pk, place FROM chat_row WHERE pk < ?1 ORDER BY pk DESC LIMIT ?2", bound, step_rows)) {
        ++step.rows, step.lowest = row.integer(0);
        const auto text = find_text_at(db, row.integer(1));
        if (!text) continue; // a damaged mirror: verify finds it
        db.words().add_chat(row.integer(0), words_of_chat(text->raw));
        step.bytes += text->raw.size();
        if (step.is_full()) break;
    }
    set_bound(db, IndexKind::chat, step.lowest);
    db.words().flush(db);
    return step;
}

Step add_conversations_below(Writer& db, std::int64_t bound)
{
    Step step;
    for (const Row row : db.query("SELECT pk, title, user_id, user_name, memo FROM conversation WHERE pk < ?1"
                                  " ORDER BY pk DESC LIMIT ?2",
                                  bound, step_rows)) {
        db.words().add_conversation(row.integer(0), words_of_stored(row, 1));
        ++step.rows, step.lowest = row.integer(0);
    }
    set_bound(db, IndexKind::conversation, step.lowest);
    db.words().flush(db);
    return step;
}

// True: there is more to do.
bool extend(Writer& db, IndexKind kind, Step (*add_below)(Writer&, std::int64_t))
{
    const auto bound = find_index_bound(db, kind);
    if (!bound) return false;
    if (*bound == above_all) empty_tables(db, kind);
    if (!add_below(db, *bound).is_full()) set_bound(db, kind, std::nullopt);
    return true;
}

} // namespace

void check_index(Writer& db)
{
    const auto version = db.require<std::int64_t>("SELECT min(version) FROM word_index");
    if (version == index_version) return;
    const bool is_new = version == 0 && !db.exists("SELECT 1 FROM conversation LIMIT 1");
    in_transaction(db, [&] {
        if (!is_new) rebuild_index(db);
        db.run("UPDATE word_index SET version = ?1", index_version);
    });
}

void rebuild_index(Writer& db)
{
    for (const IndexKind kind : {IndexKind::chat, IndexKind::conversation}) set_bound(db, kind, above_all);
}

bool extend_index(Writer& db)
{
    db.words().flush(db); // whether a row is below the bound is judged by the bound that there was
    return extend(db, IndexKind::chat, &add_chats_below) ||
           extend(db, IndexKind::conversation, &add_conversations_below) || extend_facts(db);
}

bool merge_deleted_terms(Writer& db)
{
    constexpr std::int64_t pages = 250; // a megabyte
    db.words().flush(db);
    const bool under_way = db.require<bool>("SELECT max(removed & 2) FROM word_index");
    if (!under_way && !db.require<bool>("SELECT max(removed) FROM word_index")) return false;
    if (!under_way) db.script("UPDATE word_index SET removed = 2");
    bool more = false;
    for (const Table& table : tables) {
        const std::int64_t before = db.total_changes();
        db.run(fmt::format("INSERT INTO {0} ({0}, rank) VALUES ('merge', ?1)", table.name), under_way ? pages : -pages);
        more = more || db.total_changes() - before >= 2; // one is the statement's own
    }
    if (!more) db.script("UPDATE word_index SET removed = removed & 1");
    return more;
}

} // namespace alli::cache
