// SPDX-License-Identifier: Apache-2.0
#include "cache/query/query_rules.hpp"

#include "cache/export/views.hpp"

#include <spdlog/fmt/fmt.h>

#include <sqlite3.h>

#include <algorithm>
#include <array>

namespace alli::cache {
namespace {

// Of SQLite: scalar, aggregate and window functions, dates, mathematics, JSON; then ours. None takes in code, opens a
// file or knows the process.
constexpr auto functions = std::to_array<std::string_view>({
    "->",
    "->>",
    "abs",
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "avg",
    "ceil",
    "ceiling",
    "char",
    "coalesce",
    "concat",
    "concat_ws",
    "cos",
    "cosh",
    "count",
    "cume_dist",
    "current_date",
    "current_time",
    "current_timestamp",
    "date",
    "datetime",
    "degrees",
    "dense_rank",
    "exp",
    "first_value",
    "floor",
    "format",
    "glob",
    "group_concat",
    "hex",
    "ifnull",
    "iif",
    "instr",
    "json",
    "json_array",
    "json_array_length",
    "json_each",
    "json_extract",
    "json_group_array",
    "json_group_object",
    "json_insert",
    "json_object",
    "json_patch",
    "json_quote",
    "json_remove",
    "json_replace",
    "json_set",
    "json_tree",
    "json_type",
    "json_valid",
    "julianday",
    "lag",
    "last_value",
    "lead",
    "length",
    "like",
    "likelihood",
    "likely",
    "ln",
    "local_time",
    "log",
    "log10",
    "log2",
    "lower",
    "ltrim",
    "max",
    "min",
    "mod",
    "nth_value",
    "ntile",
    "nullif",
    "octet_length",
    "percent_rank",
    "pi",
    "pow",
    "power",
    "printf",
    "quote",
    "radians",
    "random",
    "rank",
    "replace",
    "round",
    "row_number",
    "rtrim",
    "sign",
    "sin",
    "sinh",
    "soundex",
    "sqrt",
    "strftime",
    "string_agg",
    "substr",
    "substring",
    "subtype",
    "sum",
    "tan",
    "tanh",
    "timediff",
    "time",
    "total",
    "trim",
    "trunc",
    "typeof",
    "unhex",
    "unicode",
    "unixepoch",
    "unlikely",
    "upper",
    "utc_time",
});

constexpr auto tables = std::to_array<std::string_view>({"json_each", "json_tree", "sqlite_master", "sqlite_schema"});

bool may_call(std::string_view function)
{
    return std::any_of(functions.begin(), functions.end(), [&](std::string_view one) {
        return sqlite3_strnicmp(one.data(), function.data(), static_cast<int>(function.size())) == 0 &&
               one.size() == function.size();
    });
}

// A table of which no column is read may be a name that the statement itself gives, by WITH.
bool may_name(std::string_view table)
{
    constexpr auto inner = std::to_array<std::string_view>({"pragma_", "sqlite_", "dbstat"});
    return std::none_of(inner.begin(), inner.end(), [&](std::string_view one) {
        return sqlite3_strnicmp(table.data(), one.data(), static_cast<int>(one.size())) == 0;
    });
}

bool may_read(std::string_view table, std::string_view column)
{
    if (column.empty() && may_name(table)) return true;
    return find_view(table) != nullptr || std::find(tables.begin(), tables.end(), table) != tables.end();
}

struct Refusal {
    int action;
    std::string_view what;
};
constexpr auto refusals = std::to_array<Refusal>({
    {SQLITE_ATTACH, "ATTACH"},
    {SQLITE_DETACH, "DETACH"},
    {SQLITE_PRAGMA, "PRAGMA"},
    {SQLITE_TRANSACTION, "a transaction"},
    {SQLITE_SAVEPOINT, "a transaction"},
    {SQLITE_INSERT, "INSERT"},
    {SQLITE_UPDATE, "UPDATE"},
    {SQLITE_DELETE, "DELETE"},
});

std::string in_words(int action, const char* first, const char* second)
{
    if (first != nullptr && std::string_view(first) == "sqlite_master")
        return "anything but the views"; // made, or used
    if (action == SQLITE_FUNCTION) return fmt::format("the function {}", second == nullptr ? "" : second);
    if (action == SQLITE_READ) return fmt::format("the table {}", first == nullptr ? "" : first);
    const auto* const found =
        std::find_if(refusals.begin(), refusals.end(), [action](const Refusal& one) { return one.action == action; });
    return std::string(found == refusals.end() ? "a statement that changes something" : found->what);
}

int authorize(void* refused, int action, const char* first, const char* second, const char*, const char*)
{
    const bool may = action == SQLITE_SELECT || action == SQLITE_RECURSIVE ||
                     (action == SQLITE_READ && first != nullptr && may_read(first, second == nullptr ? "" : second)) ||
                     (action == SQLITE_FUNCTION && second != nullptr && may_call(second));
    if (may) return SQLITE_OK;
    auto& said = *static_cast<std::string*>(refused);
    if (said.empty()) said = in_words(action, first, second); // the first of several
    return SQLITE_DENY;
}

} // namespace

void restrict_to_views(sqlite3* db, std::string& refused)
{
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
    sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 256 * 1024 * 1024);
    sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 1024 * 1024);
    sqlite3_set_authorizer(db, &authorize, &refused);
}

std::span<const std::string_view> query_functions()
{
    return functions;
}

} // namespace alli::cache
