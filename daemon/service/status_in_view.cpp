// SPDX-License-Identifier: Apache-2.0
// The status for a token that sees a part of the mirror: freshness and coverage of the mirror, and counts of the
// visible part. Problems, comparisons, sizes and ranges would reveal other conversations, and are omitted.
#include "cache/outbox/visible_outbox.hpp"
#include "cache/rows/progress.hpp"
#include "daemon/service/status.hpp"

namespace alli::daemon {
namespace {

Json make_problem(std::string what)
{
    Json problem;
    problem["what"] = std::move(what);
    problem["since"] = nullptr;
    problem["hint"] = "";
    return problem;
}

Json make_problems(const cache::OutboxCounts& counts, const sync::State& live)
{
    Json problems = Json::array();
    if (!live.key_accepted) problems.push_back(make_problem("upstream refuses the key of the mirror"));
    if (!live.reachable) problems.push_back(make_problem("upstream cannot be reached"));
    const auto add = [&](std::int64_t count, const char* what) {
        if (count > 0)
            problems.push_back(make_problem(fmt::format("{} {} {}", count, count == 1 ? "write" : "writes", what)));
    };
    add(counts.failed, "failed: upstream will not take them as they are");
    add(counts.conflicts, "in conflict: upstream changed the same fields meanwhile");
    return problems;
}

Json make_upstream(const std::string& url, const cache::Progress& progress, const sync::State& live)
{
    Json upstream;
    upstream["url"] = url;
    upstream["reachable"] = live.reachable;
    upstream["keyAccepted"] = live.key_accepted;
    upstream["lastVerifiedAt"] = time_json(progress.verified_at);
    upstream["error"] = nullptr;
    return upstream;
}

Json make_mirror(cache::Reader& db, const cache::Visibility& seen, const cache::Progress& progress)
{
    const cache::VisibleTotals totals = cache::count_visible(db, seen);
    const Json coverage = make_coverage(db);
    Json mirror;
    mirror["conversations"] = totals.conversations;
    mirror["chats"] = totals.chats;
    mirror["completeFrom"] = coverage["from"];
    mirror["completeThrough"] = coverage["through"];
    mirror["complete"] = coverage["complete"];
    mirror["backfill"]["done"] = progress.backfill_done;
    return mirror;
}

} // namespace

Json make_status_in_view(cache::Reader& db, cache::Reader& outbox, const std::string& url, const sync::State& live,
                         const cache::Visibility& seen)
{
    const cache::Progress progress = cache::load_progress(db);
    const cache::OutboxCounts counts = cache::count_visible_entries(outbox, db, seen);
    Json status;
    status["version"] = ALLI_VERSION;
    status["narrowed"] = true;
    status["upstream"] = make_upstream(url, progress, live);
    status["mirror"] = make_mirror(db, seen, progress);
    status["outbox"] = make_outbox(counts);
    status["problems"] = make_problems(counts, live);
    return status;
}

} // namespace alli::daemon
