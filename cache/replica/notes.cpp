// SPDX-License-Identifier: Apache-2.0
#include "cache/replica/notes.hpp"

#include "cache/replica/state.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace alli::cache {
namespace {

enum Kind { state_kind = 0, conversation_kind = 1, purged_kind = 2 };

// What a changed row of a table is noted as. In the expressions @ stands for "NEW." or "OLD.".
struct Watch {
    std::string_view table, events; // of INSERT, UPDATE, DELETE
    std::string_view key, from;     // the conversation, its first chat that changed
};
constexpr auto watches = std::to_array<Watch>({
    {"conversation", "INSERT UPDATE", "@pk", "NULL"},
    {"conversation", "DELETE", "@id", "NULL"},
    // A chat's text never changes without its row, and packing changes no text. Facts that are added later are derived.
    {"chat_row", "INSERT DELETE", "@place >> 24", "@place & 0xffffff"},
    {"chat_row", "UPDATE OF sender_code, sent_after, completed", "@place >> 24", "@place & 0xffffff"},
    {"upstream_raw", "INSERT UPDATE DELETE", "@conversation", "CASE @chat WHEN '' THEN NULL ELSE 0 END"},
    {"hidden_chat", "INSERT UPDATE DELETE", "@conversation", "0"},
    {"tombstone", "INSERT UPDATE DELETE", "@id", "NULL"},
    // Neither goes but with its conversation or chat.
    {"variable", "INSERT UPDATE", "@conversation", "NULL"},
    {"chat_detail", "INSERT UPDATE", "(SELECT place >> 24 FROM chat_row WHERE pk = @chat)",
     "(SELECT place & 0xffffff FROM chat_row WHERE pk = @chat)"},
});

std::string with_row(std::string_view expression, std::string_view row)
{
    std::string out;
    for (const char c : expression)
        if (c == '@')
            out += row;
        else
            out += c;
    return out;
}

// `when` and the rest are of the row that is left: the old one after a deletion.
std::string trigger(std::string_view name, std::string_view table, std::string_view event, std::string_view when,
                    int kind, std::string_view key, std::string_view from)
{
    const std::string_view row = event == "DELETE" ? "OLD." : "NEW.";
    return fmt::format("CREATE TEMP TRIGGER note_{8}_{1} AFTER {2} ON main.{0}"
                       " WHEN EXISTS (SELECT 1 FROM noting){3}{4} BEGIN"
                       " INSERT INTO unpublished (kind, key, from_ordinal, times) VALUES ({5}, {6}, {7}, 1)"
                       " ON CONFLICT (kind, key) DO UPDATE SET times = times + 1, from_ordinal ="
                       " min(coalesce(from_ordinal, excluded.from_ordinal),"
                       " coalesce(excluded.from_ordinal, from_ordinal)); END;\n",
                       table, event.substr(0, 6), event, when.empty() ? "" : " AND ", with_row(when, row), kind,
                       with_row(key, row), with_row(from, row), name);
}

std::string triggers(const Watch& watch)
{
    if (watch.events.starts_with("UPDATE OF"))
        return trigger(watch.table, watch.table, watch.events, "", conversation_kind, watch.key, watch.from);
    std::string all;
    for (const std::string_view event : {"INSERT", "UPDATE", "DELETE"})
        if (watch.events.find(event) != watch.events.npos)
            all += trigger(watch.table, watch.table, event, "", conversation_kind, watch.key, watch.from);
    return all;
}

// Of a row that leaves what is published of its table, too.
std::string triggers(const StateTable& state)
{
    const std::string key = fmt::format("'{}'", state.name);
    const std::string either =
        state.when.empty() ? "" : '(' + with_row(state.when, "OLD.") + " OR " + with_row(state.when, "NEW.") + ')';
    std::string all;
    for (const std::string_view event : {"INSERT", "UPDATE", "DELETE"})
        all += trigger(state.name, state.table, event, event == "UPDATE" ? std::string_view(either) : state.when,
                       state_kind, key, "NULL");
    return all;
}

bool can_note(Writer& db)
{
    return db.exists("SELECT 1 FROM sqlite_temp_schema WHERE name = 'noting'");
}

} // namespace

void begin_notes(Writer& db)
{
    std::string sql = "CREATE TEMP TABLE noting (one INTEGER PRIMARY KEY);\nINSERT INTO noting VALUES (1);\n";
    for (const Watch& watch : watches) sql += triggers(watch);
    for (const StateTable& state : state_tables()) sql += triggers(state);
    db.script(sql);
}

namespace detail {

bool pause_notes(Writer& db)
{
    return can_note(db) && db.run("DELETE FROM temp.noting") > 0;
}

void resume_notes(Writer& db)
{
    db.run("INSERT INTO temp.noting VALUES (1)");
}

} // namespace detail

void note_all(Writer& db)
{
    db.run("INSERT INTO unpublished (kind, key, from_ordinal, times) SELECT ?1, pk, 0, 1 FROM conversation WHERE true"
           " ON CONFLICT (kind, key) DO UPDATE SET times = times + 1, from_ordinal = 0",
           static_cast<int>(conversation_kind));
    db.run("INSERT INTO unpublished (kind, key, from_ordinal, times)"
           " SELECT ?1, id, NULL, 1 FROM tombstone UNION SELECT ?1, conversation, 0, 1 FROM upstream_raw WHERE true"
           " ON CONFLICT (kind, key) DO UPDATE SET times = times + 1, from_ordinal = excluded.from_ordinal",
           static_cast<int>(conversation_kind));
    note_state_besides(db, {});
}

void note_state_besides(Writer& db, const std::set<std::string>& shared)
{
    for (const StateTable& state : state_tables())
        if (!shared.contains(std::string(state.name)))
            db.run("INSERT INTO unpublished (kind, key, from_ordinal, times) VALUES (?1, ?2, NULL, 1)"
                   " ON CONFLICT (kind, key) DO UPDATE SET times = times + 1",
                   static_cast<int>(state_kind), state.name);
}

void note_whole(Writer& db, const ConversationId& id)
{
    constexpr std::string_view sql = "INSERT INTO unpublished (kind, key, from_ordinal, times) VALUES (?1, ?2, 0, 1)"
                                     " ON CONFLICT (kind, key) DO UPDATE SET times = times + 1, from_ordinal = 0";
    const auto pk = db.one<std::int64_t>("SELECT pk FROM conversation WHERE id = ?1", id.value);
    if (pk)
        db.run(sql, static_cast<int>(conversation_kind), *pk);
    else
        db.run(sql, static_cast<int>(conversation_kind), id.value);
}

std::int64_t count_notes(Reader& db)
{
    return db.require<std::int64_t>("SELECT count(*) FROM unpublished WHERE kind <> ?1", static_cast<int>(purged_kind));
}

std::vector<Note> load_notes(Reader& db, std::size_t most)
{
    const auto read = [](const Row& row) {
        Note note;
        note.kind = row.integer(0);
        if (row.text(2) == "integer")
            note.key = row.integer(1);
        else
            note.key = std::string(row.text(1));
        note.from_ordinal = row.optional_integer(3);
        note.times = row.integer(4);
        return note;
    };
    // By one kind after the other: in the order of the key, of which no more is read than is asked for.
    std::vector<Note> notes;
    for (const Kind kind : {conversation_kind, state_kind}) {
        std::vector<Note> some =
            db.all(read, load_notes_sql, static_cast<std::int64_t>(most - notes.size()), static_cast<int>(kind));
        std::move(some.begin(), some.end(), std::back_inserter(notes));
    }
    return notes;
}

void drop_notes(Writer& db)
{
    db.run("DELETE FROM unpublished WHERE kind <> ?1", static_cast<int>(purged_kind));
}

void note_purged(Writer& db, const ConversationId& id)
{
    db.run("INSERT OR IGNORE INTO unpublished (kind, key, from_ordinal, times) VALUES (?1, ?2, NULL, 1)",
           static_cast<int>(purged_kind), id.value);
}

void note_end(Writer& db, const ConversationId& id)
{
    db.run("DELETE FROM unpublished WHERE kind = ?1 AND key = ?2", static_cast<int>(purged_kind), id.value);
}

void publish_purged(Writer& db)
{
    db.run("UPDATE OR REPLACE unpublished SET kind = ?1 WHERE kind = ?2", static_cast<int>(conversation_kind),
           static_cast<int>(purged_kind));
}

void drop_notes(Writer& db, std::span<const Note> notes)
{
    constexpr std::string_view sql = "DELETE FROM unpublished WHERE kind = ?1 AND key = ?2 AND times = ?3";
    for (const Note& note : notes)
        std::visit([&](const auto& key) { db.run(sql, note.kind, key, note.times); }, note.key);
}

std::vector<ConversationId> noted_conversations(Reader& db, std::span<const Note> notes)
{
    std::vector<ConversationId> ids;
    for (const Note& note : notes) {
        if (note.kind != conversation_kind) continue;
        if (const auto* const id = std::get_if<std::string>(&note.key))
            ids.push_back({*id});
        else if (auto found =
                     db.one<std::string>("SELECT id FROM conversation WHERE pk = ?1", std::get<std::int64_t>(note.key)))
            ids.push_back({std::move(*found)});
    }
    std::sort(ids.begin(), ids.end(), [](const auto& a, const auto& b) { return a.value < b.value; });
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    return ids;
}

std::vector<std::string_view> noted_tables()
{
    std::vector<std::string_view> names;
    const auto add = [&](std::string_view name) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    };
    for (const Watch& watch : watches) add(watch.table);
    for (const StateTable& state : state_tables()) add(state.table);
    return names;
}

} // namespace alli::cache
