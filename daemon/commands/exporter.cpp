// SPDX-License-Identifier: Apache-2.0
#include "daemon/commands/exporter.hpp"

#include "alli/error.hpp"
#include "daemon/commands/sync_progress.hpp"
#include "daemon/output/terminal.hpp"

#include <unistd.h>

#include <csignal>

namespace alli::daemon {

static volatile std::sig_atomic_t stop_asked = 0;

void heed_signals()
{
    const auto note = [](int) { stop_asked = 1; };
    std::signal(SIGINT, note);
    std::signal(SIGTERM, note);
    std::signal(SIGPIPE, SIG_IGN); // a reader that goes away is a failed write
}

void throw_if_stopped()
{
    if (stop_asked != 0)
        throw Error(Fault::canceled, "a file appears under its name, or changes, only as a whole: start it again",
                    "the export was stopped");
}

ExportProgress::ExportProgress(std::int64_t total) : total_(total), shown_(takes_escapes(STDERR_FILENO)) {}

void ExportProgress::step()
{
    ++done_;
    if (!shown_ || clock_.steady() - last_ < std::chrono::milliseconds(200)) return;
    last_ = clock_.steady();
    draw();
}

void ExportProgress::finish() const
{
    if (!shown_) return;
    draw();
    fmt::print(stderr, "\n");
}

void ExportProgress::draw() const
{
    const double part = total_ > 0 ? static_cast<double>(done_) / static_cast<double>(total_) : 1;
    fmt::print(stderr, "\r{} {} conversations\x1b[K", bar(part, 24), done_);
    std::fflush(stderr);
}

Exporter::Exporter(cache::Reader& db, const cache::ExportFormat& format, const cache::ExportStyle& style, Sink sink,
                   std::int64_t total)
    : db_(db), format_(format), style_(style), sink_(std::move(sink)), progress_(total)
{}

void Exporter::begin(bool bom) const
{
    if (bom) sink_("\xef\xbb\xbf");
    sink_(cache::head_of(format_, style_));
}

bool Exporter::put(const ConversationId& id)
{
    throw_if_stopped();
    if (!read_whole(id)) return false;
    spool_.pour(sink_);
    progress_.step();
    return true;
}

void Exporter::put_deleted(const ConversationId& id) const
{
    sink_(format_.write_deleted(id, style_));
}

std::int64_t Exporter::finish() const
{
    progress_.finish();
    return progress_.done();
}

bool Exporter::read_whole(const ConversationId& id)
{
    db_.script("BEGIN");
    const auto summary = cache::find_summary(db_, id);
    if (summary) spool_whole(*summary);
    db_.script("COMMIT");
    return summary.has_value();
}

void Exporter::spool_whole(const cache::Summary& summary)
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

} // namespace alli::daemon
