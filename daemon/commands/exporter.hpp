// SPDX-License-Identifier: Apache-2.0
// Writes an export of text, a conversation after the other: each read in one snapshot, which is given back before
// anything is written, so that a slow output holds no log up. One thread.
#pragma once

#include "alli/clock.hpp"
#include "cache/export/export_format.hpp"
#include "daemon/output/spool.hpp"

namespace alli::daemon {

/// From now on a signal to end is heeded by throw_if_stopped(), so that a half-made file is taken away.
void heed_signals();
void throw_if_stopped(); // Error{canceled}

/// On a terminal, beside the output.
class ExportProgress {
  public:
    explicit ExportProgress(std::int64_t total); // 0: unknown

    void step();
    void finish() const;
    std::int64_t done() const noexcept { return done_; }

  private:
    void draw() const;

    std::int64_t total_, done_ = 0;
    bool shown_;
    SystemClock clock_;
    Clock::Steady last_{};
};

class Exporter {
  public:
    using Sink = std::function<void(std::string_view)>;

    Exporter(cache::Reader& db, const cache::ExportFormat& format, const cache::ExportStyle& style, Sink sink,
             std::int64_t total);

    void begin(bool bom) const;
    /// False: it is gone since it was listed.
    bool put(const ConversationId& id);
    void put_deleted(const ConversationId& id) const;
    std::int64_t finish() const; // how many it wrote

  private:
    bool read_whole(const ConversationId& id);
    void spool_whole(const cache::Summary& summary);

    cache::Reader& db_;
    const cache::ExportFormat& format_;
    const cache::ExportStyle& style_;
    Sink sink_;
    ExportProgress progress_;
    Spool spool_;
};

} // namespace alli::daemon
