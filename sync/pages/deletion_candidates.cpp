// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/deletion_candidates.hpp"

#include "cache/rows/problems.hpp"

#include <spdlog/fmt/fmt.h>

namespace alli::sync {

void note_deletion_candidates(cache::Writer& db, Instant now)
{
    constexpr std::string_view key = "mass deletion";
    const auto candidates = cache::count_deletion_candidates(db);
    if (candidates == 0) {
        cache::clear_problem(db, key);
        return;
    }
    cache::Problem problem;
    problem.what = fmt::format("upstream says that {} mirrored conversations do not exist; they are kept", candidates);
    problem.hint = "if they were deleted there, say so: alli-mirror sync --accept-deletions; "
                   "if not, see whether the API key is that of another project";
    problem.since = now;
    cache::put_problem(db, key, problem);
}

} // namespace alli::sync
