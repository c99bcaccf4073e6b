// SPDX-License-Identifier: Apache-2.0
#include "cache/query/query_error.hpp"

#include "alli/nearest.hpp"
#include "alli/printable.hpp"
#include "cache/export/views.hpp"
#include "cache/query/query_rules.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace alli::cache {
namespace {

constexpr std::string_view all_columns = "alli-mirror query --views lists them with their columns";

std::string in_small_letters(std::string_view text)
{
    std::string small(text);
    for (char& letter : small)
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter + ('a' - 'A'));
    return small;
}

std::string hint_of_table(std::string_view name)
{
    struct Meant {
        std::string_view word, view;
    };
    constexpr auto meant = std::to_array<Meant>({{"conversations", "v_conversation"},
                                                 {"messages", "v_chat"},
                                                 {"message", "v_chat"},
                                                 {"chats", "v_chat"},
                                                 {"ratings", "v_feedback"},
                                                 {"rating", "v_feedback"},
                                                 {"days", "v_daily"},
                                                 {"sources", "v_citation"}});
    const std::string small = in_small_letters(name.substr(name.find('.') + 1));
    std::string_view view;
    for (const Meant& one : meant)
        if (one.word == small) view = one.view;
    std::vector<std::string_view> names;
    for (const View& one : view_table()) names.push_back(one.name);
    if (view.empty()) view = find_nearest(small.starts_with("v_") ? small : "v_" + small, names);
    const std::string guess = view.empty() ? "" : fmt::format("did you mean {}? ", view);
    return fmt::format("{}there are {}; {}", guess, names_of_views(), all_columns);
}

std::string views_with(std::string_view column)
{
    std::vector<std::string_view> names;
    for (const View& view : view_table())
        if (std::any_of(view.columns.begin(), view.columns.end(), [&](const auto& it) { return it.name == column; }))
            names.push_back(view.name);
    return fmt::format("{}", fmt::join(names, ", "));
}

// "= bad", '= "bad"': a text, not the name of a column.
bool is_compared(std::string_view sql, std::string_view word)
{
    const std::size_t at = sql.find(word);
    if (at == sql.npos) return false;
    const std::size_t before = sql.find_last_not_of(" \t\n\"(,", at == 0 ? 0 : at - 1);
    return before != sql.npos && (std::string_view("=<>").find(sql[before]) != std::string_view::npos ||
                                  in_small_letters(sql.substr(0, before + 1)).ends_with(" in") ||
                                  in_small_letters(sql.substr(0, before + 1)).ends_with(" like"));
}

std::string hint_of_column(std::string_view name, std::string_view sql)
{
    const std::string_view column = name.substr(name.rfind('.') + 1);
    if (is_compared(sql, column)) return fmt::format("a text stands in single quotes: '{}'", printable_line(column));
    if (const std::string where = views_with(in_small_letters(column)); !where.empty())
        return fmt::format("it is a column of {}; those of chats and conversations are joined by conversation_id",
                           where);
    std::vector<std::string_view> names;
    for (const View& view : view_table())
        for (const ViewColumn& one : view.columns) names.push_back(one.name);
    const std::string_view nearest = find_nearest(in_small_letters(column), names);
    if (nearest.empty()) return fmt::format("a text stands in single quotes; {}", all_columns);
    return fmt::format("did you mean {}, of {}? {}", nearest, views_with(nearest), all_columns);
}

std::string hint_of_function(std::string_view name, std::string_view)
{
    struct Foreign {
        std::string_view name, hint;
    };
    constexpr std::string_view of_dates = "dates are SQLite's: strftime('%Y-%m', time), date(time), datetime('now');"
                                          " local_time(time) is a time of your zone";
    constexpr auto foreign = std::to_array<Foreign>({
        {"now", of_dates},
        {"year", of_dates},
        {"month", of_dates},
        {"day", of_dates},
        {"date_trunc", of_dates},
        {"date_format", of_dates},
        {"to_char", of_dates},
        {"extract", of_dates},
        {"datediff", "julianday(a) - julianday(b) are days"},
        {"regexp", "GLOB '*word*' and LIKE '%word%' are there; alli-mirror search finds words"},
        {"regexp_matches", "GLOB '*word*' and LIKE '%word%' are there; alli-mirror search finds words"},
        {"left", "substr(text, 1, n)"},
        {"right", "substr(text, -n)"},
        {"concat", "a || b"},
        {"len", "length(text)"},
        {"isnull", "ifnull(a, b)"},
        {"nvl", "ifnull(a, b)"},
        {"string_agg", "group_concat(text, ', ')"},
        {"median", "SQLite has none; --csv gives the rows to another program"},
        {"split_part", "instr() and substr(), or json_each() over raw"},
    });
    const std::string small = in_small_letters(name);
    for (const Foreign& one : foreign)
        if (one.name == small) return std::string(one.hint);
    const std::string_view nearest = find_nearest(small, query_functions());
    return nearest.empty() ? "functions are those of SQLite" : fmt::format("did you mean {}?", nearest);
}

constexpr std::string_view of_quotes =
    "a quote is missing: a text stands between two single quotes, a quote in it is written twice: 'it''s'";

std::string hint_of_syntax(std::string_view near, std::string_view sql)
{
    if (std::count(sql.begin(), sql.end(), '\'') % 2 != 0) return std::string(of_quotes);
    struct Word {
        std::string_view word, hint;
    };
    constexpr auto words = std::to_array<Word>({
        {"%", "LIKE stands before a pattern"},
        {"ilike", "LIKE knows no difference between a and A"},
        {"interval", "datetime('now', '-7 days')"},
        {"::", "CAST(x AS INTEGER)"},
        {"from", "a name is missing before FROM, or a comma is too much"},
        {"show", "alli-mirror query --views"},
        {"describe", "alli-mirror query --views"},
    });
    const std::string small = in_small_letters(near);
    for (const Word& one : words)
        if (one.word == small) return std::string(one.hint);
    return "a statement is one SELECT, or WITH ... SELECT, in SQLite's dialect";
}

struct Pattern {
    std::string_view before, behind;
    std::string (*hint)(std::string_view word, std::string_view sql);
};
constexpr auto patterns = std::to_array<Pattern>({
    {"no such table: ", "", [](std::string_view word, std::string_view) { return hint_of_table(word); }},
    {"no such column: ", "", &hint_of_column},
    {"no such function: ", "", &hint_of_function},
    {"unrecognized token: \"'", "\"", [](std::string_view, std::string_view) { return std::string(of_quotes); }},
    {"unrecognized token: \"\"", "\"", [](std::string_view, std::string_view) { return std::string(of_quotes); }},
    {"near \"", "\": syntax error", &hint_of_syntax},
    {"incomplete input", "",
     [](std::string_view, std::string_view) {
         return std::string("the statement breaks off: a bracket, a quote or a name is missing at its end");
     }},
    {"out of memory", "",
     [](std::string_view, std::string_view) {
         return std::string("sort or group fewer columns (raw and message are long), or work on the file of"
                            " alli-mirror export --format sqlite");
     }},
    {"string or blob too big", "",
     [](std::string_view, std::string_view) { return std::string("cut it by substr()"); }},
});

std::string hint_of(std::string_view message, std::string_view sql)
{
    for (const Pattern& one : patterns) {
        if (!message.starts_with(one.before) || !message.ends_with(one.behind)) continue;
        const std::string_view word = message.substr(one.before.size());
        return one.hint(word.substr(0, word.size() - std::min(word.size(), one.behind.size())), sql);
    }
    return std::string(all_columns);
}

// Where it is, for a statement of more than a few words.
std::string place_of(std::string_view sql, int offset)
{
    if (offset <= 0 || static_cast<std::size_t>(offset) >= sql.size()) return {};
    const std::string_view before = sql.substr(0, static_cast<std::size_t>(offset));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::string_view rest = sql.substr(before.size(), 30);
    const std::string where = line > 1 ? fmt::format(" in line {}", line) : "";
    return fmt::format("{}, at: {}", where, printable_line(rest.substr(0, rest.find('\n'))));
}

} // namespace

std::string names_of_views()
{
    std::vector<std::string_view> names;
    for (const View& view : view_table()) names.push_back(view.name);
    return fmt::format("{}", fmt::join(names, ", "));
}

Error query_error(std::string_view message, std::string_view sql, int offset, std::string_view refused)
{
    if (!refused.empty())
        return Error(Fault::usage, "it is one SELECT over the documented views; nothing is written or opened by it",
                     "query does not let {} through", printable_line(refused));
    return Error(Fault::usage, hint_of(message, sql), "{}{}", printable_line(message), place_of(sql, offset));
}

} // namespace alli::cache
