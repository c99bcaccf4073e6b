// SPDX-License-Identifier: Apache-2.0
// Holds the pages of a file against each other, by SQLite's own checks: in one go, unless that holds up the log while
// others write; then a table at a time, and of a table that is too large even for that, every row by key. On a
// connection of its own.
#pragma once

#include "cache/db/active_reads.hpp"

#include <functional>
#include <string>
#include <vector>

namespace alli::cache {

struct PageCheck {
    const char* pragma;               // integrity_check, or quick_check, which leaves SQLite's indexes out
    int most = 20;                    // findings
    const char* what;                 // its name where it holds up the log; a literal
    std::function<bool()> stopping{}; // asked often, on the thread that checks
};

/// What is wrong, a line each; none: it is sound. A row that cannot be read throws Error{damaged}; canceled: told to
/// stop.
std::vector<std::string> find_page_damage(Connection& db, ActiveReads& reads, const PageCheck& check);

} // namespace alli::cache
