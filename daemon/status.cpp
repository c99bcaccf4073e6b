// SPDX-License-Identifier: Apache-2.0
#include "daemon/status.hpp"

#include "cache/conversations.hpp"
#include "cache/progress.hpp"

namespace alli::daemon {

std::string dump(const Json& json, int indent)
{
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json time_json(std::optional<Instant> when)
{
    return when ? Json(to_rfc3339(*when)) : Json(nullptr);
}

Json make_coverage(cache::Reader& db)
{
    const cache::Covered covered = cache::load_covered(db);
    Json coverage;
    coverage["complete"] = covered.complete;
    coverage["from"] = time_json(covered.from);
    coverage["through"] = time_json(covered.through);
    return coverage;
}

static Json make_upstream(const std::string& url, const cache::Progress& progress, const sync::State* live)
{
    Json upstream;
    upstream["url"] = url;
    upstream["reachable"] = live != nullptr ? Json(live->reachable) : Json(nullptr);
    upstream["keyAccepted"] = live != nullptr ? Json(live->key_accepted) : Json(nullptr);
    upstream["lastVerifiedAt"] = time_json(progress.verified_at);
    upstream["error"] = live != nullptr && !live->error.empty() ? Json(live->error) : Json(nullptr);
    return upstream;
}

static Json make_mirror(cache::Reader& db, const cache::Progress& progress, const sync::State* live)
{
    const cache::Totals totals = cache::count_totals(db);
    const Json coverage = make_coverage(db);
    Json backfill;
    backfill["done"] = progress.backfill_done;
    if (progress.backfill_done)
        backfill["fraction"] = 1.0;
    else
        backfill["fraction"] = live != nullptr && live->fraction ? Json(*live->fraction) : Json(nullptr);
    backfill["etaSeconds"] = live != nullptr && live->eta_seconds ? Json(*live->eta_seconds) : Json(nullptr);

    Json mirror;
    mirror["conversations"] = totals.conversations;
    mirror["chats"] = totals.chats;
    mirror["bytes"] = totals.bytes;
    mirror["completeFrom"] = coverage["from"];
    mirror["completeThrough"] = coverage["through"];
    mirror["complete"] = coverage["complete"]; // conversations without a chat too
    mirror["backfill"] = backfill;
    return mirror;
}

static Json make_problems(cache::Reader& db, const sync::State* live)
{
    Json problems = Json::array();
    const auto add = [&](const std::string& what, std::optional<Instant> since, const std::string& hint) {
        for (const Json& known : problems)
            if (known["what"] == what) return;
        Json problem;
        problem["what"] = what;
        problem["since"] = time_json(since);
        problem["hint"] = hint;
        problems.push_back(problem);
    };
    for (const cache::Problem& problem : cache::load_problems(db)) add(problem.what, problem.since, problem.hint);
    if (live != nullptr && !live->error.empty()) add(live->error, live->failing_since, live->hint);
    return problems;
}

Json make_status(cache::Reader& db, const std::string& url, const sync::State* live)
{
    const cache::Progress progress = cache::load_progress(db);
    Json status;
    status["version"] = ALLI_VERSION;
    status["upstream"] = make_upstream(url, progress, live);
    status["mirror"] = make_mirror(db, progress, live);
    Json outbox;
    outbox["pending"] = 0; // nothing can be queued yet
    outbox["failed"] = 0;
    outbox["conflicts"] = 0;
    outbox["oldestAgeSeconds"] = nullptr;
    status["outbox"] = outbox;
    status["problems"] = make_problems(db, live);
    status["safeToStop"] = true;
    return status;
}

} // namespace alli::daemon
