// SPDX-License-Identifier: Apache-2.0
// How a store opens its files.
#pragma once

#include "cache/db/log_bound.hpp"

#include <cstdint>
#include <exception>
#include <functional>
#include <string>

namespace alli::cache {

class Writer;

struct StoreOptions {
    std::string mirror_path;                              // outbox.db and alli-mirror.lock lie beside it
    std::string url;                                      // the upstream; a file of another upstream is refused
    bool threads = true;                                  // false: inline
    std::function<void(std::exception_ptr)> gave_up = {}; // once, on any thread: a file is damaged, or failed
    std::function<void()> room_again = [] {}; // on a committing thread: the disk was full, and can be written again
    // The largest outbox whose pages are all checked on opening: some 0.4 s of a slow disk, not interruptible.
    std::uintmax_t most_outbox_read = 64 * 1024 * 1024;
    LogLimits log = {}; // of each file's log
    // A node of a cluster: called with mirror.db's writer once the file is open (cache/replica/notes.hpp).
    std::function<void(Writer&)> on_open = {};
    // For tests: receives the steps of SQLite's virtual machine that a read() took, on the reading thread.
    std::function<void(std::uint64_t)> count_steps = {};
};

} // namespace alli::cache
