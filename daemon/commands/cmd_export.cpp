// SPDX-License-Identifier: Apache-2.0
// `export`: the mirror, or the conversations in which a search finds something, in bounded memory. Read by key, a
// conversation in one snapshot that is given back before anything is written: so it works beside a daemon without
// holding up its log, however slowly the output is taken. Each conversation is whole and appears once.
#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "cache/conversations.hpp"
#include "cache/rows/progress.hpp"
#include "cache/store.hpp"
#include "daemon/commands/commands.hpp"
#include "daemon/commands/search_arguments.hpp"
#include "daemon/commands/sync_progress.hpp"
#include "daemon/export/export_format.hpp"
#include "daemon/export/seen_ids.hpp"
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
    bool bom = false, no_bom = false;
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
    Exporter(cache::Reader& db, const ExportFormat& format, const Zone& zone, OutputFile& output, std::int64_t total)
        : db_(db), format_(format), zone_(zone), sink_([&output](std::string_view text) { output.write(text); }),
          progress_(total)
    {}

    void begin(bool bom) const
    {
        if (bom) sink_("\xef\xbb\xbf");
        sink_(format_.head);
    }

    void put(const ConversationId& id)
    {
        if (stop_asked != 0)
            throw Error(Fault::canceled, "a file appears under its name only when it is whole: start it again",
                        "the export was stopped");
        if (seen_.contains(id.value)) return; // deleted and here again, under another key, or found again
        if (!read_whole(id)) return;          // gone since it was listed
        seen_.insert(id.value);
        spool_.pour(sink_);
        progress_.step();
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
        if (summary) format_.write(db_, *summary, zone_, [this](std::string_view text) { spool_.write(text); });
        db_.script("COMMIT");
        return summary.has_value();
    }

    cache::Reader& db_;
    const ExportFormat& format_;
    const Zone& zone_;
    Sink sink_;
    ExportProgress progress_;
    Spool spool_;
    SeenIds seen_;
};

static void put_all(cache::Reader& db, Exporter& exporter)
{
    constexpr int step = 500;
    for (std::int64_t after = 0;;) {
        const auto keys = cache::list_keys(db, after, step);
        for (const cache::Keyed& one : keys) exporter.put(one.id);
        if (std::ssize(keys) < step) return;
        after = keys.back().key;
    }
}

static void put_found(cache::Reader& db, cache::SearchQuery query, Exporter& exporter)
{
    query.grouped = true;
    query.limit = 100;
    for (;;) {
        const cache::SearchResult found = cache::search(db, query);
        for (const cache::SearchHit& hit : found.hits) exporter.put(ConversationId{hit.conversation_id});
        if (!found.next) return;
        query.cursor = found.next;
    }
}

static bool wants_bom(const ExportArguments& arguments, const ExportFormat& format, bool to_file)
{
    if (arguments.bom && !format.takes_bom)
        throw Error(Fault::usage, "it is for --format csv", "{} has no byte order mark", format.name);
    return arguments.bom || (to_file && format.takes_bom && !arguments.no_bom);
}

static int export_mirror(const ExportArguments& arguments, const Context& context)
{
    const cache::SearchQuery query = make_query(arguments.what);
    const ExportFormat& format = *find_export_format(arguments.format);
    const std::string file = arguments.output == "-" ? "" : arguments.output;
    const bool bom = wants_bom(arguments, format, !file.empty());
    const MirrorLocation place = find_mirror_location(context.settings(), context.environment);
    const auto db = cache::open_mirror(place.mirror_path);
    const bool all = !arguments.what.given();
    heed_signals();

    OutputFile output(file); // made once nothing else can be wrong
    Exporter exporter(*db, format, query.zone, output, all ? cache::load_totals(*db).conversations : 0);
    exporter.begin(bom);
    if (all)
        put_all(*db, exporter);
    else
        put_found(*db, query, exporter);
    output.finish();
    const std::int64_t count = exporter.finish();
    print_zone(query);
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
    arguments.add_option("--format", chosen->format, "jsonl: a conversation a line; csv: a chat a row; markdown")
        ->check(CLI::IsMember({"jsonl", "csv", "markdown"}));
    arguments.add_option("--output", chosen->output, "where to; it appears when it is whole (default, and -: stdout)")
        ->type_name("FILE");
    CLI::Option* bom =
        arguments.add_flag("--bom", chosen->bom, "csv: begin with a byte order mark, so that Excel reads it");
    arguments.add_flag("--no-bom", chosen->no_bom, "csv: without one (by default where it goes to stdout)")
        ->excludes(bom);
    return [chosen](const Context& context) { return export_mirror(*chosen, context); };
}

} // namespace alli::daemon
