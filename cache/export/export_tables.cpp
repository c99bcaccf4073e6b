// SPDX-License-Identifier: Apache-2.0
#include "cache/export/export_tables.hpp"

#include "alli/error.hpp"
#include "cache/db/meta.hpp"
#include "cache/export/export_format.hpp"
#include "cache/export/mask_json.hpp"
#include "cache/rows/change_feed.hpp"

#include <spdlog/fmt/fmt.h>

namespace alli::cache {
namespace {

// How a table's rows are found, besides their columns.
struct Keys {
    std::string_view view, primary, indexes;
};
constexpr auto keys = std::to_array<Keys>({
    {"v_conversation", "conversation_id", ""},
    {"v_chat", "conversation_id, ordinal",
     "CREATE INDEX chat_by_time ON v_chat (time); CREATE INDEX chat_by_id ON v_chat (chat_id);"},
    {"v_citation", "conversation_id, ordinal, position", "CREATE INDEX citation_by_chat ON v_citation (chat_id);"},
});

std::string sql_of_table(const Keys& table)
{
    std::string columns;
    for (const ViewColumn& column : find_view(table.view)->columns)
        columns += fmt::format("{} {}, ", column.name, column.type);
    return fmt::format("CREATE TABLE {} ({}PRIMARY KEY ({})); {}", table.view, columns, table.primary, table.indexes);
}

std::string sql_of_row(std::string_view view)
{
    std::vector<std::string_view> names;
    std::vector<std::string> values;
    for (const ViewColumn& column : find_view(view)->columns) {
        names.push_back(column.name);
        values.push_back(fmt::format("?{}", names.size()));
    }
    return fmt::format("INSERT INTO {} ({}) VALUES ({})", view, fmt::join(names, ", "), fmt::join(values, ", "));
}

// A number as a text, which its column makes a number of again.
std::optional<std::string> bindable(ViewValue value)
{
    if (auto* text = std::get_if<std::string>(&value)) return std::move(*text);
    if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
    return std::nullopt;
}

template <std::size_t N, class ValueOf>
void insert(Connection& file, const std::string& sql, ValueOf value_of)
{
    std::array<std::optional<std::string>, N> values;
    for (std::size_t column = 0; column < N; ++column) values[column] = bindable(value_of(column));
    std::apply([&](const auto&... value) { file.run(sql, value...); }, values);
}

void put_chat(Connection& file, const ViewChat& chat)
{
    static const std::string of_chat = sql_of_row("v_chat"), of_citation = sql_of_row("v_citation");
    insert<chat_columns>(file, of_chat, [&](std::size_t column) { return chat_value(chat, column); });
    for (const ViewCitation& one : read_citations(chat))
        insert<citation_columns>(file, of_citation,
                                 [&](std::size_t column) { return citation_value(chat, one, column); });
}

void put_chats(Connection& file, Reader& db, const ConversationId& id, bool mask_texts)
{
    for (std::int64_t first = 0;; first += chats_a_piece) {
        auto chats = read_chats(db, id, first, chats_a_piece);
        for (std::int64_t at = 0; at < std::ssize(chats); ++at) {
            ReadableChat& chat = chats[static_cast<std::size_t>(at)];
            if (mask_texts) mask(chat);
            put_chat(file, ViewChat(id.value, first + at, std::move(chat)));
        }
        if (std::ssize(chats) < chats_a_piece) return;
    }
}

} // namespace

ExportState export_state(Reader& db, std::string what)
{
    return {find_meta<std::string>(db, "url").value_or(""), std::move(what), load_feed_bounds(db).last};
}

void create_tables(Connection& file)
{
    for (const Keys& table : keys) file.script(sql_of_table(table));
    for (const View& view : view_table())
        if (!view.sql.empty()) file.script(fmt::format("CREATE VIEW {} AS {}", view.name, view.sql));
    file.script("CREATE TABLE alli_export (mirror TEXT, what TEXT, position INTEGER, views INTEGER)");
}

bool put_conversation_tables(Connection& file, Reader& db, const ConversationId& id, bool mask_texts)
{
    static const std::string of_conversation = sql_of_row("v_conversation");
    remove_conversation_tables(file, id);
    auto row = find_conversation_row(db, id);
    if (!row) return false;
    if (mask_texts) mask(*row);
    insert<conversation_columns>(file, of_conversation,
                                 [&](std::size_t column) { return conversation_value(*row, column); });
    put_chats(file, db, id, mask_texts);
    return true;
}

bool remove_conversation_tables(Connection& file, const ConversationId& id)
{
    if (file.run("DELETE FROM v_conversation WHERE conversation_id = ?1", id.value) == 0) return false;
    file.run("DELETE FROM v_chat WHERE conversation_id = ?1", id.value);
    file.run("DELETE FROM v_citation WHERE conversation_id = ?1", id.value);
    return true;
}

void put_export_state(Connection& file, const ExportState& state)
{
    file.run("DELETE FROM alli_export");
    file.run("INSERT INTO alli_export (mirror, what, position, views) VALUES (?1, ?2, ?3, ?4)", state.mirror,
             state.what, state.position, views_version);
}

std::optional<ExportState> find_export_state(Connection& file)
{
    if (!file.exists("SELECT 1 FROM pragma_table_info('alli_export') WHERE name = 'views'")) return std::nullopt;
    const auto read = [](const Row& row) {
        return ExportState{std::string(row.text(0)), std::string(row.text(1)), row.integer(2)};
    };
    return file.one(read, "SELECT mirror, what, position FROM alli_export WHERE views = ?1", views_version);
}

} // namespace alli::cache
