// SPDX-License-Identifier: Apache-2.0
// `query`: SQL over the documented views of the mirror, read only, beside a running daemon or without one. The whole
// answer is there before anything of it is written: a query that fails half-way prints none, and a slow reader of the
// output holds nothing up.
#include "alli/error.hpp"
#include "cache/export/views.hpp"
#include "cache/query/query.hpp"
#include "cache/query/query_error.hpp"
#include "cache/query/time_functions.hpp"
#include "cache/rows/coverage.hpp"
#include "cache/store.hpp"
#include "daemon/access/service_reads.hpp"
#include "daemon/arguments/search_arguments.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/output/output_file.hpp"
#include "daemon/output/query_output.hpp"
#include "daemon/output/spool.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/settings/duration.hpp"
#include "daemon/settings/paths.hpp"

#include <CLI/CLI.hpp>

#include <array>
#include <fstream>
#include <iostream>

namespace alli::daemon {

struct QueryArguments {
    std::vector<std::string> statement;
    std::string file, output, tz, timeout = "60s";
    std::int64_t limit = -1; // as the format has it
    bool csv = false, json = false, views = false;
};

constexpr std::int64_t rows_of_a_table = 1000;
constexpr std::size_t longest_statement = 1024 * 1024;

static std::string read_all(std::istream& in, std::string_view name)
{
    std::string text;
    std::array<char, 4096> piece{};
    while (in.read(piece.data(), piece.size()), in.gcount() > 0) {
        text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
        if (text.size() > longest_statement)
            throw Error(Fault::usage, "name a file that holds one statement", "{} is longer than a statement may be",
                        printable_line(name));
    }
    if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3); // which editors put there
    return text;
}

static std::string read_file(const std::string& name)
{
    std::ifstream file(name, std::ios::binary);
    if (!file)
        throw Error(Fault::usage, "- reads it from stdin", "the statement's file, {}, cannot be read",
                    printable_line(name));
    return read_all(file, name);
}

static std::string read_statement(const QueryArguments& arguments)
{
    if (!arguments.file.empty() && !arguments.statement.empty())
        throw Error(Fault::usage, "leave one of them out", "there is a statement, and --file with another");
    if (!arguments.file.empty() && arguments.file != "-") return read_file(arguments.file);
    if (arguments.statement.size() > 1)
        throw Error(Fault::usage, "put the whole statement into quotes: alli-mirror query \"SELECT...\"",
                    "the statement is in {} pieces", arguments.statement.size());
    if (arguments.statement.empty() && arguments.file.empty())
        throw Error(
            Fault::usage,
            fmt::format("there are {}: alli-mirror query \"{}\"", cache::names_of_views(), cache::example_statement),
            "query: there is no statement");
    if (arguments.file == "-" || arguments.statement.front() == "-") return read_all(std::cin, "stdin");
    return arguments.statement.front();
}

static std::unique_ptr<QueryFormat> choose_format(const QueryArguments& arguments, QueryFormat::Sink sink)
{
    if (arguments.json) return json_format(std::move(sink));
    if (arguments.csv) return csv_format(std::move(sink));
    return table_format(std::move(sink));
}

static cache::QueryBounds bounds_of(const QueryArguments& arguments)
{
    cache::QueryBounds bounds;
    const auto timeout = read_duration(arguments.timeout);
    if (!timeout && arguments.timeout != "0")
        throw Error(Fault::usage, "write it as 500ms, 30s, 10m, or 0 for none", "--timeout {} is no duration",
                    printable_line(arguments.timeout));
    bounds.timeout = timeout.value_or(std::chrono::milliseconds(0));
    const bool table = !arguments.csv && !arguments.json;
    bounds.rows = arguments.limit >= 0 ? arguments.limit : table ? rows_of_a_table : 0;
    return bounds;
}

static void print_notes(const cache::QueryEnd& end, const std::string& statement, const Zone& zone, bool complete)
{
    const std::string date = cache::find_bare_date(statement);
    if (!date.empty() && zone.name() != "UTC" && zone.name() != "Etc/UTC")
        fmt::print(stderr, "note: times are of UTC; the day {} of {} begins at utc_time('{}')\n", date, zone.name(),
                   date);
    if (end.cut) fmt::print(stderr, "note: only the first {} rows; --limit 0 gives all\n", end.rows);
    if (!complete) print_incomplete_note();
}

// The views themselves, as a query's answer.
static void list_views(QueryFormat& format)
{
    format.head({"view", "column", "type", "meaning"});
    for (const cache::View& view : cache::view_table()) {
        const auto put = [&](std::string_view column, std::string_view type, std::string_view meaning) {
            const std::array<cache::Cell, 4> row{std::string(view.name), std::string(column), std::string(type),
                                                 std::string(meaning)};
            format.row(row);
        };
        put("", "", view.meaning);
        for (const cache::ViewColumn& column : view.columns) put(column.name, column.type, column.meaning);
    }
    format.finish();
}

static int write_views(const QueryArguments& arguments, OutputFile& output)
{
    const auto format = choose_format(arguments, [&](std::string_view text) { output.write(text); });
    list_views(*format);
    output.finish();
    return 0;
}

static int query(const QueryArguments& arguments, const Context& context)
{
    const std::string file = arguments.output == "-" ? "" : arguments.output;
    if (arguments.views) {
        OutputFile output(file);
        return write_views(arguments, output);
    }
    const std::string statement = read_statement(arguments);
    const Zone zone = read_zone(arguments.tz);
    const cache::QueryBounds bounds = bounds_of(arguments);
    const MirrorLocation place = find_mirror_location(context.settings(), context.environment);
    require_files(place, "query");
    auto db = cache::open_mirror(place.mirror_path);
    const bool complete = cache::load_covered(*db).complete;
    OutputFile output(file);
    Spool spool;
    const auto format = choose_format(arguments, [&](std::string_view text) { spool.write(text); });
    const cache::QueryOutput rows{[&](const auto& columns) { format->head(columns); },
                                  [&](std::span<const cache::Cell> row) { format->row(row); }};
    const cache::QueryEnd end = cache::run_query(std::move(db), statement, zone, bounds, rows);
    format->finish();
    spool.pour([&](std::string_view text) { output.write(text); });
    output.finish();
    if (place.sandbox) fmt::print(stderr, "note: this is the sandbox's mirror\n");
    print_notes(end, statement, zone, complete);
    return 0;
}

Action add_query(CLI::App& arguments)
{
    auto chosen = std::make_shared<QueryArguments>();
    arguments
        .add_option("SQL", chosen->statement,
                    "a SELECT-statement over v_conversation, v_chat, v_citation, v_feedback and v_daily; -: from stdin")
        ->type_name("STATEMENT");
    arguments.add_option("--file", chosen->file, "read the statement from there")->type_name("FILE");
    arguments.add_flag("--views", chosen->views, "list the views with their columns");
    CLI::Option* csv = arguments.add_flag("--csv", chosen->csv, "as CSV (default: a table)");
    arguments.add_flag("--json", chosen->json, "as a JSON array, an object a row")->excludes(csv);
    arguments.add_option("--output", chosen->output, "where to; it appears when it is whole (default, and -: stdout)")
        ->type_name("FILE");
    arguments
        .add_option("--limit", chosen->limit, "rows at most; 0: all (default: 1000 of a table, all of CSV and JSON)")
        ->check(CLI::NonNegativeNumber);
    arguments.add_option("--timeout", chosen->timeout, "the query ends after that (default: 60s; 0: never)")
        ->type_name("DURATION");
    arguments.add_option("--tz", chosen->tz, "the time zone of utc_time() and local_time() (default: this machine's)")
        ->type_name("ZONE");
    return [chosen](const Context& context) { return query(*chosen, context); };
}

} // namespace alli::daemon
