// SPDX-License-Identifier: Apache-2.0
// Holds the files, the rows, the coverage and the index of words against each other. Long: it reads everything, in
// steps beside other work, and only what it mends is written.
#pragma once

#include "cache/store.hpp"

#include <functional>
#include <string>
#include <vector>

namespace alli::cache {

enum class Mend {
    none,    // a page of a file: the file is set aside by the next start
    reindex, // an index of SQLite's own
    rows,    // counted again; what is lost is fetched again by the engine
    words,   // the index of words, made anew from the rows
    tally,   // the outbox's counts
};

struct Finding {
    std::string where; // mirror, outbox, rows, coverage, words
    std::string what;  // no text of a message, no id
    Mend mend = Mend::none;
};

struct VerifyReport {
    std::vector<Finding> findings;
    bool repaired = false; // all of them: a second look found nothing
    bool restart = false;  // the next start does the rest

    bool damaged() const { return !findings.empty() && !repaired; }
};

struct VerifyWish {
    bool repair = false;
    bool alone = false; // nobody else writes: FTS5 may check its own structure, for which it holds the writer
    std::function<void(std::string_view what, std::int64_t done, std::int64_t total)> report = [](auto&&...) {};
    std::function<bool()> stopping = [] { return false; }; // asked on several threads
};

/// Throws Error{canceled} when it is told to stop.
Task<VerifyReport> verify(Store& store, VerifyWish wish);

} // namespace alli::cache
