// SPDX-License-Identifier: Apache-2.0
// Which other process keeps SQLite from emptying the log (WAL) of a file that this process has open: read off the locks
// on the file's -shm and the read marks in it. By the descriptor that SQLite itself has open: closing another one would
// drop SQLite's locks. Never writes.
#pragma once

#include <optional>
#include <string>

namespace alli::cache {

struct LogHolder {
    int process = 0;     // 0: in another PID namespace
    std::string command; // its name; empty: not ours to see
};

/// The one with the oldest snapshot. None: no other process, or the -shm cannot be read.
std::optional<LogHolder> find_log_holder(const std::string& path);

} // namespace alli::cache
