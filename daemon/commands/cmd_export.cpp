// SPDX-License-Identifier: Apache-2.0
// `export`: the mirror, or the conversations in which a search finds something, in bounded memory. Read by key, a
// conversation in one snapshot that is given back before anything is written: so it works beside a daemon without
// holding up its log, however slowly the output is taken. Each conversation is whole and appears once.
#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "cache/export/export_format.hpp"
#include "cache/export/export_list.hpp"
#include "cache/export/sqlite_export.hpp"
#include "cache/rows/coverage.hpp"
#include "cache/rows/totals.hpp"
#include "cache/store.hpp"
#include "daemon/arguments/search_arguments.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/commands/sync_progress.hpp"
#include "daemon/output/output_file.hpp"
#include "daemon/output/spool.hpp"
#include "daemon/output/terminal.hpp"
#include "daemon/settings/paths.hpp"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <csignal>

namespace alli::daemon {

struct ExportArguments {
    SearchArguments what;
    std::string format = "jsonl", output;
    bool bom = false, no_bom = false, mask = false;
};

static volatile std::sig_atomic_t stop_asked = 0;

/// So that a half-made file is taken away before the end.
static void heed_signals()
{
    const auto note = [](int) { stop_asked = 1; };
    std::signal(SIGINT, note);
    std::signal(SIGTERM, note);
    std::signal(SIGPIPE, SIG_IGN); // a reader that goes away is a failed write
}

static void heed_stop()
{
    if (stop_asked != 0)
        throw Error(Fault::canceled, "a file appears under its name only when it is whole: start it again",
                    "the export was stopped");
}

/// On a terminal, beside the output.
class ExportProgress {
  public:
    explicit ExportProgress(std::int64_t total) : total_(total), shown_(takes_escapes(STDERR_FILENO)) {}

    void step()
    {
        ++done_;
        if (!shown_ || clock_.steady() - last_ < std::chrono::milliseconds(200)) return;
        last_ = clock_.steady();
        draw();
    }
    void finish() const
    {
        if (!shown_) return;
        draw();
        fmt::print(stderr, "\n");
    }
    std::int64_t done() const { return done_; }

  private:
    void draw() const
    {
        const double part = total_ > 0 ? static_cast<double>(done_) / static_cast<double>(total_) : 1;
        fmt::print(stderr, "\r{} {} conversations\x1b[K", bar(part, 24), done_);
        std::fflush(stderr);
    }

    std::int64_t total_, done_ = 0;
    bool shown_;
    SystemClock clock_;
    Clock::Steady last_{};
};

class Exporter {
  public:
    Exporter(cache::Reader& db, const cache::ExportFormat& format, const cache::ExportStyle& style, OutputFile& output,
             std::int64_t total)
        : db_(db), format_(format), style_(style), sink_([&output](std::string_view text) { output.write(text); }),
          progress_(total)
    {}

    void begin(bool bom) const
    {
        if (bom) sink_("\xef\xbb\xbf");
        sink_(format_.head);
    }

    /// False: it is gone since it was listed.
    bool put(const ConversationId& id)
    {
        heed_stop();
        if (!read_whole(id)) return false;
        spool_.pour(sink_);
        progress_.step();
        return true;
    }
    std::int64_t finish() const
    {
        progress_.finish();
        return progress_.done();
    }

  private:
    bool read_whole(const ConversationId& id)
    {
        db_.script("BEGIN");
        const auto summary = cache::find_summary(db_, id);
        if (summary) spool_whole(*summary);
        db_.script("COMMIT");
        return summary.has_value();
    }

    void spool_whole(const cache::Summary& summary)
    {
        const cache::ExportHead head = format_.begin(db_, summary, style_);
        spool_.write(head.text);
        std::string piece;
        bool more = true;
        for (std::int64_t first = 0; more; first += cache::chats_a_piece) {
            piece.clear();
            more = cache::write_chats(db_, format_, head, ConversationId{summary.id}, first, style_, piece);
            spool_.write(piece);
        }
        spool_.write(format_.end);
    }

    cache::Reader& db_;
    const cache::ExportFormat& format_;
    const cache::ExportStyle& style_;
    std::function<void(std::string_view)> sink_;
    ExportProgress progress_;
    Spool spool_;
};

// Throws Error{usage} for a format that has none.
static bool wants_bom(const ExportArguments& arguments, const cache::ExportFormat& format, bool to_file)
{
    if (arguments.bom && !format.takes_bom)
        throw Error(Fault::usage, "it is for --format csv", "{} has no byte order mark", format.name);
    return arguments.bom || (to_file && format.takes_bom && !arguments.no_bom);
}

// The number of conversations written.
static std::int64_t write_text(cache::Reader& db, cache::ExportList& list, const ExportArguments& arguments,
                               const Zone& zone, const std::string& file)
{
    const cache::ExportFormat& format = *cache::find_export_format(arguments.format);
    const bool bom = wants_bom(arguments, format, !file.empty());
    OutputFile output(file); // made once nothing else can be wrong
    const cache::ExportStyle style{zone, arguments.mask};
    Exporter exporter(db, format, style, output, arguments.what.given() ? 0 : cache::load_totals(db).conversations);
    exporter.begin(bom);
    for (auto ids = list.next(db); !ids.empty(); ids = list.next(db))
        for (const ConversationId& id : ids)
            if (exporter.put(id)) list.written(id);
    output.finish();
    return exporter.finish();
}

static std::int64_t write_sqlite(cache::Reader& db, cache::ExportList& list, const ExportArguments& arguments,
                                 const std::string& file)
{
    if (file.empty()) throw Error(Fault::usage, "name it with --output", "--format sqlite writes a file");
    if (arguments.bom) throw Error(Fault::usage, "it is for --format csv", "sqlite has no byte order mark");
    cache::SqliteExport output(file, arguments.mask);
    ExportProgress progress(arguments.what.given() ? 0 : cache::load_totals(db).conversations);
    for (auto ids = list.next(db); !ids.empty(); ids = list.next(db))
        for (const ConversationId& id : ids) {
            heed_stop();
            if (!output.put(db, id)) continue;
            list.written(id);
            progress.step();
        }
    output.finish();
    progress.finish();
    return progress.done();
}

static int export_mirror(const ExportArguments& arguments, const Context& context)
{
    const cache::SearchQuery query = make_query(arguments.what);
    const std::string file = arguments.output == "-" ? "" : arguments.output;
    if (arguments.format != "sqlite") wants_bom(arguments, *cache::find_export_format(arguments.format), !file.empty());
    const MirrorLocation place = find_mirror_location(context.settings(), context.environment);
    const auto db = cache::open_mirror(place.mirror_path);
    heed_signals();

    cache::ExportList list(arguments.what.given() ? std::optional(query) : std::nullopt, {});
    const std::int64_t count = arguments.format == "sqlite" ? write_sqlite(*db, list, arguments, file)
                                                            : write_text(*db, list, arguments, query.zone, file);
    print_zone(query);
    print_unknown(list.unknown_filters());
    if (place.sandbox) fmt::print(stderr, "note: this is the sandbox's mirror\n");
    if (!file.empty()) fmt::print(stderr, "{} {} in {}\n", count, count == 1 ? "conversation" : "conversations", file);
    if (!cache::load_covered(*db).complete)
        fmt::print(stderr, "note: the mirror is not complete yet, so there may be more: see alli-mirror status\n");
    return 0;
}

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
    CLI::Option* bom =
        arguments.add_flag("--bom", chosen->bom, "csv: begin with a byte order mark, so that Excel reads it");
    arguments.add_flag("--no-bom", chosen->no_bom, "csv: without one (by default where it goes to stdout)")
        ->excludes(bom);
    arguments.add_flag("--mask", chosen->mask,
                       "replace e-mail addresses, phone, card and resident registration numbers by their kinds");
    return [chosen](const Context& context) { return export_mirror(*chosen, context); };
}

} // namespace alli::daemon
