// SPDX-License-Identifier: Apache-2.0
// Compares the files, the rows, the coverage and the search index with each other, and repairs what it can. Takes long:
// it reads everything, in steps beside other work.
#pragma once

#include "cache/store.hpp"
#include "cache/upkeep/finding.hpp"

#include <functional>
#include <string>
#include <vector>

namespace alli::cache {

struct VerifyReport {
    std::vector<Finding> findings;
    bool repaired = false; // all of them: a second verification found nothing
    bool restart = false;  // the next start sets a file aside

    bool damaged() const { return !findings.empty() && !repaired; }
};

struct VerifyOptions {
    bool repair = false;
    bool alone = false; // nobody else writes: FTS5 may check its own structure, for which it holds the writer
    std::function<void(std::string_view what, std::int64_t done, std::int64_t total)> report = [](auto&&...) {};
    std::function<bool()> stopping = [] { return false; }; // asked on several threads
};

/// Throws Error{canceled} when it is told to stop.
Task<VerifyReport> verify(Store& store, VerifyOptions options);

} // namespace alli::cache
