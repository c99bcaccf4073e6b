// SPDX-License-Identifier: Apache-2.0
#include "cache/replica/state.hpp"

#include "cache/replica/fields.hpp"
#include "cache/rows/progress.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <set>

namespace alli::cache {
namespace {

constexpr auto tables = std::to_array<StateTable>({
    {"coverage", "coverage", "from_at, through_at, verified_at", ""},
    {"progress", "progress", "name, value", ""},
    // What keeps times from being complete, or names a conversation; the rest is of the node that has it.
    {"problem", "problem", "key, what, hint, since, tries, retry_at, conversation, from_at, through_at",
     "(@conversation IS NOT NULL OR @from_at IS NOT NULL OR (@key >= 'fields ' AND @key < 'fields!')"
     " OR @key = 'more fields')"},
    {"suspect", "suspect", "id, noticed_at", ""},
    {"drift", "drift", "name, count", ""},
    {"known_category", "known_category", "id, name", ""},
    {"category_list", "category_list", "one, raw, verified_at", ""},
    {"purged_day", "purged_day", "day", ""},
    {"purged", "purged", "hash", ""},
    {"suppression", "fact", "name, value", "@name IN ('ledger_key', 'purged_before')"}, // its version is a file's own
    {"fact", "fact", "name, value",
     "(@name IN ('cursor_secret', 'retention_horizon') OR (@name >= 'envelope ' AND @name < 'envelope!'))"},
});

std::size_t count_columns(const StateTable& table)
{
    return static_cast<std::size_t>(std::count(table.columns.begin(), table.columns.end(), ',')) + 1;
}

std::vector<std::string> columns_of(const StateTable& table)
{
    std::vector<std::string> names(1);
    for (const char c : table.columns)
        if (c == ',')
            names.emplace_back();
        else if (c != ' ')
            names.back() += c;
    return names;
}

std::string where(const StateTable& table)
{
    if (table.when.empty()) return "";
    std::string condition;
    for (const char c : table.when)
        if (c != '@') condition += c;
    return " WHERE " + condition;
}

std::vector<Fields> load_rows(Connection& db, const StateTable& table)
{
    std::string columns;
    for (const std::string& name : columns_of(table))
        columns += fmt::format("{0}{1}, typeof({1})", columns.empty() ? "" : ", ", name);
    const std::size_t count = count_columns(table);
    const auto read = [count](const Row& row) {
        Fields fields;
        for (std::size_t at = 0; at < count; ++at) {
            const int column = static_cast<int>(2 * at);
            const std::string_view type = row.text(column + 1);
            if (type == "null")
                fields.emplace_back();
            else if (type == "integer")
                fields.emplace_back(row.integer(column));
            else
                fields.emplace_back(std::string(row.text(column)));
        }
        return fields;
    };
    return db.all(read, fmt::format("SELECT {} FROM {}{} ORDER BY 1", columns, table.table, where(table)));
}

// Values are put where they are not null; null stands in the statement itself.
void run_with(Writer& db, const std::string& before, const Fields& fields, const std::string& after)
{
    std::string places;
    std::vector<Value> values;
    for (const Field& field : fields) {
        if (!places.empty()) places += ", ";
        if (field) values.push_back(*field);
        places += field ? fmt::format("?{}", values.size()) : "NULL";
    }
    for (const Row row : db.query_values(before + places + after, values)) (void)row;
}

void remove(Writer& db, const StateTable& table, const Fields& row)
{
    run_with(db, fmt::format("DELETE FROM {} WHERE {} IN (", table.table, columns_of(table).front()), {row.front()},
             ")");
}

void insert(Writer& db, const StateTable& table, const Fields& row)
{
    run_with(db, fmt::format("INSERT OR REPLACE INTO {} ({}) VALUES (", table.table, table.columns), row, ")");
}

const StateTable* find_table(std::string_view name)
{
    const auto* const found =
        std::find_if(tables.begin(), tables.end(), [&](const StateTable& table) { return table.name == name; });
    return found == tables.end() ? nullptr : found;
}

void put_unit(Writer& db, std::string_view value)
{
    Progress progress = load_progress(db);
    progress.unit = value == "s" ? TimeUnit::seconds : TimeUnit::milliseconds;
    save_progress(db, progress);
}

std::optional<PublishedState> find_unit(Reader& db)
{
    const TimeUnit unit = load_progress(db).unit;
    if (unit == TimeUnit::unknown) return std::nullopt;
    return PublishedState{std::string(unit_name), unit == TimeUnit::seconds ? "s" : "ms"};
}

const PublishedState* find_named(std::span<const PublishedState> state, std::string_view name)
{
    for (const PublishedState& one : state)
        if (one.name == name) return &one;
    return nullptr;
}

} // namespace

std::span<const StateTable> state_tables()
{
    return tables;
}

std::optional<PublishedState> find_state(Reader& db, std::string_view name)
{
    if (name == unit_name) return find_unit(db);
    const StateTable* const table = find_table(name);
    if (!table) return std::nullopt;
    PublishedState state{std::string(name), ""};
    for (const Fields& row : load_rows(db, *table)) state.value += text_of(row);
    return state;
}

// Only what differs is written. Lists are built from some of it.
void put_state(Writer& db, const PublishedState& state)
{
    if (state.name == unit_name) return put_unit(db, state.value);
    const StateTable* const table = find_table(state.name);
    if (!table) return;
    std::set<std::string> held;
    const std::vector<Fields> wanted = rows_of(state.value, count_columns(*table), state.name);
    std::set<std::string> kept;
    for (const Fields& row : wanted) kept.insert(text_of(row));
    bool changed = false;
    for (const Fields& row : load_rows(db, *table)) {
        if (kept.contains(text_of(row))) {
            held.insert(text_of(row));
            continue;
        }
        remove(db, *table, row);
        changed = true;
    }
    for (const Fields& row : wanted) {
        if (held.contains(text_of(row))) continue;
        insert(db, *table, row);
        changed = true;
    }
    if (changed) db.change_set().lists();
}

std::optional<SuppressionList> find_suppressions(std::span<const PublishedState> state)
{
    const PublishedState* const facts = find_named(state, "suppression");
    const PublishedState* const hashes = find_named(state, "purged");
    if (!facts && !hashes) return std::nullopt;
    SuppressionList list;
    for (const Fields& row : facts ? rows_of(facts->value, 2, facts->name) : std::vector<Fields>()) {
        const auto* const name = row[0] ? std::get_if<std::string>(&*row[0]) : nullptr;
        if (!name || !row[1]) throw_unreadable(facts->name);
        const auto* const number = std::get_if<std::int64_t>(&*row[1]);
        if (*name == "ledger_key" && !number) list.key = std::get<std::string>(*row[1]);
        if (*name == "purged_before" && number) list.before = Instant{std::chrono::microseconds(*number)};
    }
    if (hashes)
        for (const Fields& row : rows_of(hashes->value, 1, hashes->name))
            if (row[0] && std::holds_alternative<std::string>(*row[0]))
                list.hashes.push_back(std::get<std::string>(*row[0]));
    return list;
}

} // namespace alli::cache
