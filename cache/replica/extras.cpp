// SPDX-License-Identifier: Apache-2.0
#include "cache/replica/extras.hpp"

#include "cache/chats/facts.hpp"
#include "cache/db/chat_text_key.hpp"
#include "cache/replica/fields.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/rows/conversation_rows.hpp"

#include <set>

namespace alli::cache {
namespace {

Field field_of(const Row& row, int column)
{
    if (row.is_null(column)) return std::nullopt;
    return Value(std::string(row.text(column)));
}

std::optional<std::string> find_text(Field& field, std::string_view name)
{
    return field ? std::optional(take_text(field, name)) : std::nullopt;
}

void put_variable(Writer& db, std::int64_t pk, const std::string& name, Fields& row)
{
    db.run("INSERT INTO variable (conversation, name, value, verified_at) VALUES (?1, ?2, ?3, ?4)"
           " ON CONFLICT (conversation, name) DO UPDATE SET value = ?3, verified_at = ?4"
           " WHERE value IS NOT ?3 OR verified_at <> ?4",
           pk, name, find_text(row[1], "variables"), take_number(row[2], "variables"));
}

} // namespace

std::string load_variables(Reader& db, std::int64_t pk)
{
    std::string text;
    for (const Row row :
         db.query("SELECT name, value, verified_at FROM variable WHERE conversation = ?1 ORDER BY name", pk))
        text += text_of({field_of(row, 0), field_of(row, 1), Value(row.integer(2))});
    return text;
}

std::map<std::int64_t, std::string> load_details(Reader& db, std::int64_t pk, std::int64_t from)
{
    std::map<std::int64_t, std::string> found;
    for (const Row row : db.query("SELECT place, of, raw FROM chat_row JOIN chat_detail ON chat = chat_row.pk"
                                  " WHERE place >= ?1 AND place < ?2",
                                  chat_text_key(pk, from), chat_text_key(pk + 1, 0)))
        found[ordinal_of_key(row.integer(0))] = text_of({Value(row.integer(1)), field_of(row, 2)});
    return found;
}

void put_variables(Writer& db, const ConversationId& id, const std::string& text)
{
    const auto pk = find_pk(db, id);
    if (!pk) return;
    if (load_variables(db, *pk) == text) return;
    std::set<std::string> names;
    for (Fields& row : rows_of(text, 3, "variables")) {
        const std::string name = take_text(row[0], "variables");
        put_variable(db, *pk, name, row);
        names.insert(name);
    }
    for (const std::string& name : db.all<std::string>("SELECT name FROM variable WHERE conversation = ?1", *pk))
        if (!names.contains(name)) db.run("DELETE FROM variable WHERE conversation = ?1 AND name = ?2", *pk, name);
    note_change(db, id, ChangeKind::conversation);
}

void put_detail(Writer& db, std::int64_t pk, std::int64_t ordinal, const std::string& text)
{
    const auto chat = db.one<std::int64_t>("SELECT pk FROM chat_row WHERE place = ?1", chat_text_key(pk, ordinal));
    if (!chat) return;
    if (text.empty()) {
        db.run("DELETE FROM chat_detail WHERE chat = ?1", *chat);
        return;
    }
    for (Fields& row : rows_of(text, 2, "the detail of a chat")) {
        const auto raw = find_text(row[1], "the detail of a chat");
        const int changed = static_cast<int>(
            db.run("INSERT INTO chat_detail (chat, of, raw) VALUES (?1, ?2, ?3)"
                   " ON CONFLICT (chat) DO UPDATE SET of = ?2, raw = ?3 WHERE of <> ?2 OR raw IS NOT ?3",
                   *chat, take_number(row[0], "the detail of a chat"), raw));
        if (changed > 0) db.change_set().conversation(pk);
        if (raw) note_steps(db, *chat, *raw);
    }
}

} // namespace alli::cache
