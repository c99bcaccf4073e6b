// SPDX-License-Identifier: Apache-2.0
// Keeps the log (WAL) of one file short: says which checkpoint is due after a commit, ends reads of this process that
// hold the log beyond its bound, and notes who holds it, for `status`. On the committing thread; the notes are read by
// any thread. Commits are slowed by a tenth at most, never stopped: what upstream sent must be kept all the same.
#pragma once

#include "alli/instant.hpp"
#include "cache/db/active_reads.hpp"
#include "cache/db/free_space.hpp"
#include "cache/db/writer.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace alli::cache {

struct LogLimits {
    std::int64_t bytes = 64 * 1024 * 1024;
    std::chrono::milliseconds longest_read{5000}; // of this process, once the log is longer than that
    std::chrono::milliseconds pause{1000};        // between two tries to empty a log that is held
    std::chrono::milliseconds wait{100};          // of such a try for readers, with all commits behind it
};

class LogBound {
  public:
    explicit LogBound(LogLimits limits = {}, ActiveReads* reads = nullptr) : limits_(limits), reads_(reads) {}

    /// None: no checkpoint is due. `quiet`: nothing waits to be written.
    struct Try {
        Writer::Checkpoint how;
        std::chrono::milliseconds wait;
    };
    std::optional<Try> find_due(const Writer& db, bool quiet) const;
    /// What became of it. `file`: where it is noted; none: nowhere.
    void note(Writer& db, const Try& tried, bool done, std::optional<DataFile> file);

  private:
    std::int64_t bound_pages() const noexcept;
    void tell(const Writer& db, DataFile file);
    std::string name_holder(const std::string& path);

    LogLimits limits_;
    ActiveReads* reads_;
    bool held_ = false;                                // the last checkpoint left something in the log
    std::int64_t tried_pages_ = 0;                     // how long the log was then
    std::chrono::steady_clock::time_point tried_at_{}; // when that was
    int backfilled_ = -1;                              // how far it came
    std::optional<Instant> held_since_;                // when it came no further for the first time
    bool told_ = false;
};

/// A log that is longer than it may be.
struct LongLog {
    DataFile file;
    std::int64_t bytes = 0;
    std::string held_by; // who keeps it so: "a search", "process 4711 (alli-mirror)"
    Instant since;
};
std::vector<LongLog> find_long_logs(); // any thread
void clear_long_log(DataFile file) noexcept;

} // namespace alli::cache
