// SPDX-License-Identifier: Apache-2.0
// `export`: the mirror, or the conversations in which a search finds something, in bounded memory, beside a running
// daemon or without one. Each conversation is whole and appears once. With --since-last only what changed, into the
// same file, and what was deleted.
#include "alli/error.hpp"
#include "cache/export/export_changes.hpp"
#include "cache/export/export_list.hpp"
#include "cache/export/sqlite_export.hpp"
#include "cache/rows/coverage.hpp"
#include "cache/rows/totals.hpp"
#include "cache/search/reach.hpp"
#include "cache/search/search.hpp"
#include "cache/store.hpp"
#include "daemon/access/service_reads.hpp"
#include "daemon/arguments/query_text.hpp"
#include "daemon/arguments/search_arguments.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/commands/exporter.hpp"
#include "daemon/output/appended_file.hpp"
#include "daemon/output/output_file.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/settings/paths.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <set>

namespace alli::daemon {
namespace {

struct ExportArguments {
    SearchArguments what;
    std::string format = "jsonl", output;
    bool bom = false, no_bom = false, mask = false, since_last = false;
};

struct Job {
    cache::Reader& db;
    const ExportArguments& arguments;
    std::optional<cache::SearchQuery> query; // none: everything
    cache::ExportStyle style;
    std::string file;                               // empty: stdout
    std::vector<cache::UnknownFilter> unknown = {}; // of the query
};

struct Written {
    std::int64_t conversations = 0, deleted = 0;
    bool changes = false; // no more than those
};

const cache::ExportFormat& format_of(const ExportArguments& arguments)
{
    return *cache::find_export_format(arguments.format);
}

// Throws Error{usage} for a format that has none.
bool wants_bom(const ExportArguments& arguments, bool to_file)
{
    const cache::ExportFormat& format = format_of(arguments);
    if (arguments.bom && !format.takes_bom)
        throw Error(Fault::usage, "it is for --format csv", "{} has no byte order mark", format.name);
    return arguments.bom || (to_file && format.takes_bom && !arguments.no_bom);
}

// What must be the same for an export to go on.
std::string described(const ExportArguments& arguments)
{
    return fmt::format("--format {}{}{}", arguments.format, arguments.mask ? " --mask" : "",
                       arguments.what.described());
}

void require_same(const cache::ExportState& then, const cache::ExportState& now, const std::string& file)
{
    constexpr const char* hint = "give it another --output, or remove the file (and its .state) to begin anew";
    if (then.mirror != now.mirror)
        throw Error(Fault::usage, hint, "{} is of another mirror, of {}", file, printable_line(then.mirror));
    if (then.what != now.what)
        throw Error(Fault::usage, hint, "{} was made by other arguments: {}", file, printable_line(then.what));
}

std::int64_t total_of(const Job& job)
{
    return job.query ? 0 : cache::load_totals(job.db).conversations;
}

template <class Put>
void put_all(Job& job, Put put)
{
    cache::ExportList list(job.query, {});
    for (auto ids = list.next(job.db); !ids.empty(); ids = list.next(job.db))
        for (const ConversationId& id : ids)
            if (put(id)) list.written(id);
    job.unknown = list.unknown_filters();
}

Written write_text(Job& job)
{
    OutputFile output(job.file); // made once nothing else can be wrong
    Exporter exporter(
        job.db, format_of(job.arguments), job.style, [&](std::string_view text) { output.write(text); }, total_of(job));
    exporter.begin(wants_bom(job.arguments, !job.file.empty()));
    put_all(job, [&](const ConversationId& id) { return exporter.put(id); });
    output.finish();
    return {exporter.finish()};
}

// Of a search: what it does not find now may stand in the file as it was then.
std::vector<ConversationId> gone_from(const std::vector<ConversationId>& changed,
                                      const std::vector<ConversationId>& found)
{
    std::set<std::string_view> kept;
    for (const ConversationId& id : found) kept.insert(id.value);
    std::vector<ConversationId> gone;
    for (const ConversationId& id : changed)
        if (!kept.contains(id.value)) gone.push_back(id);
    return gone;
}

Written append_changes(Job& job, const cache::ExportChanges& changes, AppendState state)
{
    const auto ids = job.query ? cache::keep_found(job.db, *job.query, changes.changed) : changes.changed;
    std::vector<ConversationId> gone = gone_from(changes.changed, ids);
    gone.insert(gone.end(), changes.deleted.begin(), changes.deleted.end());
    Written written{0, std::ssize(gone), true};
    if (!ids.empty() || !gone.empty()) {
        AppendedFile output(job.file, state);
        state.bytes = output.size(), state.appending = true;
        put_append_state(job.file, state);
        Exporter exporter(
            job.db, format_of(job.arguments), job.style, [&](std::string_view text) { output.write(text); },
            std::ssize(ids));
        if (output.size() == 0) exporter.begin(wants_bom(job.arguments, true));
        for (const ConversationId& id : ids) exporter.put(id);
        for (const ConversationId& id : gone) exporter.put_deleted(id);
        output.finish();
        state.bytes = output.size();
        written.conversations = exporter.finish();
    }
    state.made = changes.now, state.appending = false;
    put_append_state(job.file, state);
    return written;
}

void tell_anew()
{
    fmt::print(stderr, "note: the mirror was rebuilt or restored, or something was purged, since the last export:"
                       " everything is written anew\n");
}

Written write_text_since(Job& job)
{
    cache::ExportState now = cache::export_state(job.db, described(job.arguments));
    if (const auto state = find_append_state(job.file)) {
        require_same(state->made, now, job.file);
        const cache::ExportChanges changes = cache::load_export_changes(job.db, state->made);
        if (changes.complete) return append_changes(job, changes, *state);
        tell_anew();
    }
    const Written written = write_text(job);
    put_append_state(job.file, {std::move(now), static_cast<std::int64_t>(std::filesystem::file_size(job.file))});
    return written;
}

Written write_sqlite(Job& job, bool as_before = false)
{
    const cache::ExportState now = cache::export_state(job.db, described(job.arguments));
    cache::SqliteExport output(job.file, job.arguments.mask);
    ExportProgress progress(total_of(job));
    put_all(job, [&](const ConversationId& id) {
        throw_if_stopped();
        const bool there = output.put(job.db, id);
        if (there) progress.step();
        return there;
    });
    if (as_before) output.take_over_permissions();
    output.finish(now);
    progress.finish();
    return {progress.done()};
}

Written update_sqlite(Job& job, cache::SqliteUpdate& file, const cache::ExportChanges& changes)
{
    Written written{0, 0, true};
    file.begin();
    ExportProgress progress(std::ssize(changes.changed));
    for (const ConversationId& id : changes.changed) {
        throw_if_stopped();
        if (file.put(job.db, id)) progress.step();
    }
    for (const ConversationId& id : changes.deleted) written.deleted += file.remove(id) ? 1 : 0;
    file.finish(changes.now);
    progress.finish();
    written.conversations = progress.done();
    return written;
}

// A search is asked again as a whole: what it found then and does not find now has to go. And what is much is written
// anew, beside the file, because an update of it is held in memory.
Written write_sqlite_since(Job& job)
{
    constexpr std::ptrdiff_t most_in_place = 2000;
    cache::SqliteUpdate file(job.file, job.arguments.mask);
    if (!file.state()) return write_sqlite(job);
    require_same(*file.state(), cache::export_state(job.db, described(job.arguments)), job.file);
    const cache::ExportChanges changes = cache::load_export_changes(job.db, *file.state());
    if (!changes.complete) tell_anew();
    const bool few = std::ssize(changes.changed) + std::ssize(changes.deleted) <= most_in_place;
    if (!changes.complete || job.query || !few) return write_sqlite(job, true);
    return update_sqlite(job, file, changes);
}

// Throws Error{usage} for arguments that do not go together, before anything is read.
void check(const ExportArguments& arguments, const std::string& file)
{
    const bool sqlite = arguments.format == "sqlite";
    if (sqlite && file.empty()) throw Error(Fault::usage, "name it with --output", "--format sqlite writes a file");
    if (sqlite && arguments.bom) throw Error(Fault::usage, "it is for --format csv", "sqlite has no byte order mark");
    if (!sqlite) wants_bom(arguments, !file.empty());
    if (!arguments.since_last) return;
    if (file.empty())
        throw Error(Fault::usage, "name it with --output: what was written is noted beside it",
                    "--since-last goes on with a file");
    if (arguments.format == "markdown")
        throw Error(Fault::usage, "it goes with jsonl, csv and sqlite", "--since-last does not go with markdown");
}

// A text goes on from where it was: what the index does not show yet would never be in it.
void require_no_position(const ExportArguments& arguments)
{
    if (arguments.since_last && arguments.format != "sqlite")
        throw Error(Fault::unavailable, "try again later; alli-mirror search --json says how far it is (index)",
                    "the index of words is being made anew: an export that goes on would leave out what it does not "
                    "reach yet");
}

Written write(Job& job)
{
    const bool sqlite = job.arguments.format == "sqlite";
    if (job.arguments.since_last) return sqlite ? write_sqlite_since(job) : write_text_since(job);
    return sqlite ? write_sqlite(job) : write_text(job);
}

void tell(const Written& written, const std::string& file)
{
    const char* noun = written.conversations == 1 ? "conversation" : "conversations";
    if (file.empty()) return;
    if (written.changes)
        fmt::print(stderr, "{} {} changed, {} deleted since the last export, in {}\n", written.conversations, noun,
                   written.deleted, file);
    else
        fmt::print(stderr, "{} {} in {}\n", written.conversations, noun, file);
}

// Of a mirror whose files are closed to this user, by its daemon: as it comes.
void export_by_daemon(const ExportArguments& arguments, const cache::SearchQuery& query, const std::string& file,
                      const Context& context)
{
    if (arguments.since_last || arguments.format == "sqlite")
        require_files(find_mirror_location(context.settings(), context.environment),
                      arguments.since_last ? "export --since-last" : "export --format sqlite");
    const std::string text = query_text(arguments.what);
    bool complete = ask_coverage(context).complete;
    if (!text.empty()) {
        const ServiceSearch found = read_search(ask_service(
            context, target_of("/mirror/v1/search", {{"q", text}, {"tz", query.zone.name()}, {"limit", "1"}})));
        print_unknown(found.result.unknown_filters);
        complete = complete && found.covered.complete; // of the index, too
    }
    heed_signals();
    OutputFile output(file);
    ask_service(context,
                target_of("/mirror/v1/export", {{"q", text},
                                                {"format", arguments.format},
                                                {"tz", query.zone.name()},
                                                {"bom", wants_bom(arguments, !file.empty()) ? "true" : "false"},
                                                {"mask", arguments.mask ? "true" : "false"}}),
                [&](std::string_view piece) {
                    throw_if_stopped();
                    output.write(piece);
                });
    output.finish();
    print_zone(query);
    if (!file.empty()) fmt::print(stderr, "the export is in {}\n", file);
    if (!complete) print_incomplete_note();
}

int export_mirror(const ExportArguments& arguments, const Context& context)
{
    const cache::SearchQuery query = make_query(arguments.what);
    const std::string file = arguments.output == "-" ? "" : arguments.output;
    check(arguments, file);
    const MirrorLocation place = find_mirror_location(context.settings(), context.environment);
    if (must_ask_daemon(place)) {
        export_by_daemon(arguments, query, file, remembering(context));
        return 0;
    }
    const auto db = cache::open_mirror(place.mirror_path);
    heed_signals();
    Job job{*db,
            arguments,
            arguments.what.given() ? std::optional(query) : std::nullopt,
            {query.zone, arguments.mask, arguments.since_last},
            file};
    const bool reaches_all = !job.query || cache::reaches_all(*db, cache::parse_query(*job.query));
    if (!reaches_all) require_no_position(arguments);
    const Written written = write(job);
    print_zone(query);
    print_unknown(job.unknown);
    if (place.sandbox) fmt::print(stderr, "note: this is the sandbox's mirror\n");
    tell(written, file);
    if (!cache::load_covered(*db).complete || !reaches_all) print_incomplete_note();
    return 0;
}

} // namespace

Action add_export(CLI::App& arguments)
{
    auto chosen = std::make_shared<ExportArguments>();
    arguments.add_option("QUERY", chosen->what.words,
                         "only conversations in which this search finds something; each is written whole");
    add_search_filters(arguments, chosen->what);
    arguments
        .add_option(
            "--format", chosen->format,
            "jsonl: a conversation a line; csv: a chat a row; markdown; sqlite: a file of tables, for other programs")
        ->check(CLI::IsMember({"jsonl", "csv", "markdown", "sqlite"}));
    arguments.add_option("--output", chosen->output, "where to; it appears when it is whole (default, and -: stdout)")
        ->type_name("FILE");
    arguments.add_flag("--since-last", chosen->since_last,
                       "go on with that file: only what changed since the last time, and what was deleted");
    CLI::Option* bom =
        arguments.add_flag("--bom", chosen->bom, "csv: begin with a byte order mark, so that Excel reads it");
    arguments.add_flag("--no-bom", chosen->no_bom, "csv: without one (by default where it goes to stdout)")
        ->excludes(bom);
    arguments.add_flag("--mask", chosen->mask,
                       "replace e-mail addresses, phone, card and resident registration numbers by their kinds");
    return [chosen](const Context& context) { return export_mirror(*chosen, context); };
}

} // namespace alli::daemon
