// SPDX-License-Identifier: Apache-2.0
#include "cache/query/view_tables.hpp"

#include "cache/query/view_cursors.hpp"
#include "cache/rows/totals.hpp"

#include <spdlog/fmt/fmt.h>

#include <sqlite3.h>

#include <array>
#include <string_view>

namespace alli::cache {
namespace {

using Open = std::unique_ptr<ViewCursor> (*)(ViewSource& source, const ViewSelection& selection);

struct Kind {
    std::string_view view;
    Open open;
    bool of_chats;       // there may be more than one row a conversation
    bool beside_of_text; // some columns need no text
};
constexpr auto kinds = std::to_array<Kind>({
    {"v_conversation", &conversations_of, false, false},
    {"v_chat", &chats_of, true, true},
    {"v_citation", &citations_of, true, false},
});

// What best_index hands to filter: which values it is given, and whether texts are needed.
enum Plan : int { by_conversation = 1, by_chat = 2, without_texts = 4 };

struct Module {
    const Kind* kind;
    const View* view;
    ViewSource* source;
};

struct Table : sqlite3_vtab {
    const Module* module;
};

struct Cursor : sqlite3_vtab_cursor {
    ViewSource* source;
    Open open;
    std::unique_ptr<ViewCursor> rows;
    bool over = true;
    std::int64_t row = 0;
};

template <class F>
int guarded(ViewSource& source, F work) noexcept
{
    try {
        work();
        return SQLITE_OK;
    } catch (...) {
        source.failure = std::current_exception();
        return SQLITE_ERROR;
    }
}

int connect(sqlite3* db, void* aux, int, const char* const*, sqlite3_vtab** made, char**)
{
    const auto* module = static_cast<const Module*>(aux);
    std::string columns;
    for (const ViewColumn& column : module->view->columns)
        columns += fmt::format("{}{} {}", columns.empty() ? "" : ", ", column.name, column.type);
    if (const int code = sqlite3_declare_vtab(db, fmt::format("CREATE TABLE x ({})", columns).c_str())) return code;
    sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS); // may stand in a view
    auto* table = new Table{};
    table->module = module;
    *made = table;
    return SQLITE_OK;
}

int disconnect(sqlite3_vtab* table)
{
    delete static_cast<Table*>(table);
    return SQLITE_OK;
}

// The constraint `column = value`, compared as bytes, that can be used; -1: there is none.
int find_equal(sqlite3_index_info* info, const View& view, std::string_view column)
{
    for (int at = 0; at < info->nConstraint; ++at) {
        const auto& one = info->aConstraint[at];
        if (one.usable != 0 && one.op == SQLITE_INDEX_CONSTRAINT_EQ && one.iColumn >= 0 &&
            view.columns[static_cast<std::size_t>(one.iColumn)].name == column &&
            std::string_view(sqlite3_vtab_collation(info, at)) == "BINARY")
            return at;
    }
    return -1;
}

bool asks_for_texts(const sqlite3_index_info* info, const View& view)
{
    for (std::size_t column = 0; column < view.columns.size(); ++column)
        if ((info->colUsed >> column & 1U) != 0 && !is_beside_text(column)) return true;
    return false;
}

void choose(sqlite3_index_info* info, int constraint, Plan plan, double rows, double cost)
{
    info->aConstraintUsage[constraint].argvIndex = 1; // and SQLite compares again
    info->idxNum |= plan;
    info->estimatedRows = static_cast<sqlite3_int64>(rows);
    info->estimatedCost = cost;
}

int best_index(sqlite3_vtab* base, sqlite3_index_info* info)
{
    const Module& module = *static_cast<Table*>(base)->module;
    return guarded(*module.source, [&] {
        const Totals totals = load_totals(module.source->read());
        const auto all = static_cast<double>(module.kind->of_chats ? totals.chats : totals.conversations) + 1;
        const bool texts = !module.kind->beside_of_text || asks_for_texts(info, *module.view);
        info->idxNum = texts ? 0 : without_texts;
        info->estimatedRows = static_cast<sqlite3_int64>(all);
        info->estimatedCost = all * (texts ? 4 : 1);
        const double of_one = all / (static_cast<double>(totals.conversations) + 1) + 1;
        if (const int at = find_equal(info, *module.view, "conversation_id"); at >= 0)
            choose(info, at, by_conversation, of_one, of_one * 4 + 20);
        else if (const int chat = find_equal(info, *module.view, "chat_id"); chat >= 0)
            choose(info, chat, by_chat, 1, 60);
    });
}

int open(sqlite3_vtab* base, sqlite3_vtab_cursor** made)
{
    const Module& module = *static_cast<Table*>(base)->module;
    auto* cursor = new Cursor{};
    cursor->source = module.source;
    cursor->open = module.kind->open;
    *made = cursor;
    return SQLITE_OK;
}

int close(sqlite3_vtab_cursor* cursor)
{
    delete static_cast<Cursor*>(cursor);
    return SQLITE_OK;
}

void step(Cursor& cursor)
{
    cursor.over = !cursor.rows || !cursor.rows->next();
    ++cursor.row;
}

int filter(sqlite3_vtab_cursor* base, int plan, const char*, int count, sqlite3_value** values)
{
    auto& cursor = *static_cast<Cursor*>(base);
    return guarded(*cursor.source, [&] {
        ViewSelection selection;
        selection.texts = (plan & without_texts) == 0;
        cursor.rows.reset();
        if (count > 0) {
            const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
            if (text == nullptr) return step(cursor); // null, which nothing is equal to
            std::string given(text, static_cast<std::size_t>(sqlite3_value_bytes(values[0])));
            ((plan & by_conversation) != 0 ? selection.conversation : selection.chat) = std::move(given);
        }
        cursor.rows = cursor.open(*cursor.source, selection);
        step(cursor);
    });
}

int next(sqlite3_vtab_cursor* base)
{
    auto& cursor = *static_cast<Cursor*>(base);
    return guarded(*cursor.source, [&] { step(cursor); });
}

int eof(sqlite3_vtab_cursor* cursor)
{
    return static_cast<Cursor*>(cursor)->over ? 1 : 0;
}

void give(sqlite3_context* context, const ViewValue& value)
{
    if (const auto* number = std::get_if<std::int64_t>(&value))
        sqlite3_result_int64(context, *number);
    else if (const auto* text = std::get_if<std::string>(&value))
        sqlite3_result_text64(context, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    else
        sqlite3_result_null(context);
}

int column(sqlite3_vtab_cursor* base, sqlite3_context* context, int at)
{
    auto& cursor = *static_cast<Cursor*>(base);
    return guarded(*cursor.source, [&] { give(context, cursor.rows->value(static_cast<std::size_t>(at))); });
}

int rowid(sqlite3_vtab_cursor* base, sqlite3_int64* id)
{
    *id = static_cast<Cursor*>(base)->row;
    return SQLITE_OK;
}

// Without xCreate a table of this kind is there under its module's name, and none can be made of it.
constexpr sqlite3_module make_methods()
{
    sqlite3_module methods{};
    methods.xConnect = &connect, methods.xDisconnect = &disconnect;
    methods.xBestIndex = &best_index;
    methods.xOpen = &open, methods.xClose = &close;
    methods.xFilter = &filter, methods.xNext = &next, methods.xEof = &eof;
    methods.xColumn = &column, methods.xRowid = &rowid;
    return methods;
}
constexpr sqlite3_module methods = make_methods();

int register_table(sqlite3* db, const Kind& kind, ViewSource& source)
{
    auto* module = new Module{&kind, find_view(kind.view), &source};
    return sqlite3_create_module_v2(db, kind.view.data(), &methods, module,
                                    [](void* gone) { delete static_cast<Module*>(gone); });
}

int run(sqlite3* db, const std::string& sql)
{
    return sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
}

} // namespace

int register_views(sqlite3* db, ViewSource& source)
{
    for (const Kind& kind : kinds)
        if (const int code = register_table(db, kind, source)) return code;
    for (const View& view : view_table()) {
        if (!view.sql.empty())
            if (const int code = run(db, fmt::format("CREATE VIEW {} AS {}", view.name, view.sql))) return code;
    }
    // The first use declares a table, which no rule lets through later.
    for (const char* table :
         {"v_conversation", "v_chat", "v_citation", "v_daily", "json_each('[]')", "json_tree('[]')"})
        if (const int code = run(db, fmt::format("SELECT 1 FROM {} WHERE 0", table))) return code;
    return SQLITE_OK;
}

} // namespace alli::cache
