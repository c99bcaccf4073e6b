// SPDX-License-Identifier: Apache-2.0
#include "daemon/service/status.hpp"

#include "alli/clock.hpp"
#include "cache/conversations.hpp"
#include "cache/outbox/outbox.hpp"
#include "cache/rows/drift.hpp"
#include "cache/rows/problems.hpp"
#include "cache/rows/progress.hpp"
#include "daemon/webhook/webhook_status.hpp"

#include <array>
#include <map>
#include <numeric>

namespace alli::daemon {

std::string dump(const Json& json, int indent)
{
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json time_json(std::optional<Instant> when)
{
    return when ? Json(to_rfc3339(*when)) : Json(nullptr);
}

Json summary_json(const cache::Summary& summary)
{
    Json json;
    json["id"] = summary.id;
    json["title"] = summary.title;
    json["user"] = summary.user;
    json["createdAt"] = time_json(summary.created_at);
    json["lastChatTime"] = time_json(summary.last_chat_at);
    json["chats"] = summary.chats;
    return json;
}

Json make_coverage(cache::Reader& db)
{
    return coverage_json(cache::load_covered(db));
}

Json coverage_json(const cache::Covered& covered)
{
    Json coverage;
    coverage["complete"] = covered.complete;
    coverage["from"] = time_json(covered.from);
    coverage["through"] = time_json(covered.through);
    return coverage;
}

Json make_budget(const upstream::RateLimiter::State& pace)
{
    constexpr std::array<const char*, 3> breaker_names{"closed", "open", "halfOpen"};
    Json budget;
    budget["requestsPerSecond"] = pace.requests_per_second;
    budget["atOnce"] = pace.limit;
    budget["mostAtOnce"] = pace.most;
    budget["underWay"] = pace.in_flight;
    budget["waiting"] = std::accumulate(pace.waiting.begin(), pace.waiting.end(), 0);
    budget["pushedBack"] = pace.pushed_back;
    budget["breaker"] = breaker_names[static_cast<std::size_t>(pace.breaker)];
    budget["pausedSeconds"] = static_cast<double>(std::max(pace.retry_after, pace.probe_in).count()) / 1000;
    return budget;
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

// Differences that comparisons found although no timestamp had changed.
static Json make_drift(cache::Reader& db)
{
    const cache::Drift found = cache::load_drift(db);
    Json drift;
    drift["audited"] = found.audited;
    drift["differed"] = found.differed;
    drift["deleted"] = found.deleted;
    drift["fields"] = Json::object();
    for (const auto& [field, count] : found.fields) drift["fields"][field] = count;
    std::optional<Instant> oldest;
    for (const cache::Interval& it : cache::load_coverage(db))
        oldest = std::min(oldest.value_or(it.verified_at), it.verified_at);
    drift["oldestComparison"] = time_json(oldest);
    return drift;
}

// The ranges of last chat time that are complete.
static Json make_stretches(cache::Reader& db)
{
    constexpr std::size_t most = 1000; // the newest
    std::vector<cache::Interval> intervals = cache::load_coverage(db);
    if (intervals.size() > most) intervals.erase(intervals.begin(), intervals.end() - most);
    Json stretches = Json::array();
    for (const cache::Interval& it : intervals) {
        Json stretch;
        stretch["from"] = to_rfc3339(it.from);
        stretch["through"] = to_rfc3339(it.through);
        stretch["verifiedAt"] = to_rfc3339(it.verified_at);
        stretches.push_back(std::move(stretch));
    }
    return stretches;
}

static Json make_mirror(cache::Reader& db, const cache::Progress& progress, const sync::State* live)
{
    const cache::Totals totals = cache::load_totals(db);
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
    mirror["coverage"] = make_stretches(db);
    mirror["backfill"] = backfill;
    mirror["drift"] = make_drift(db);
    return mirror;
}

// The problem's sentence without its conversation id.
static std::string kind_of(const cache::Problem& problem)
{
    std::string text = problem.what;
    const auto at = problem.conversation ? text.find(*problem.conversation) : text.npos;
    if (at != text.npos) text.erase(at, problem.conversation->size());
    return text;
}

// Equal problems of many conversations become one problem with an example and a count.
static std::vector<cache::Problem> gather_alike(std::vector<cache::Problem> all)
{
    std::vector<cache::Problem> gathered;
    std::map<std::string, std::pair<std::size_t, int>> kinds; // where the example stands, and how many more there are
    for (cache::Problem& problem : all) {
        const auto [known, fresh] = kinds.try_emplace(kind_of(problem), gathered.size(), 0);
        if (fresh || !problem.conversation)
            gathered.push_back(std::move(problem));
        else
            ++known->second.second;
    }
    for (const auto& [kind, found] : kinds)
        if (found.second > 0)
            gathered[found.first].what +=
                fmt::format(" (so {} {} more)", found.second == 1 ? "is" : "are", found.second);
    return gathered;
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
    for (const cache::Problem& problem : gather_alike(cache::load_problems(db)))
        add(problem.what, problem.since, problem.hint);
    if (live != nullptr && !live->error.empty()) add(live->error, live->failing_since, live->hint);
    return problems;
}

Json make_outbox(const cache::OutboxCounts& counts)
{
    Json outbox;
    outbox["pending"] = counts.pending;
    outbox["failed"] = counts.failed;
    outbox["conflicts"] = counts.conflicts;
    outbox["oldestAgeSeconds"] = nullptr;
    if (counts.oldest) {
        const auto age = std::chrono::floor<std::chrono::seconds>(SystemClock().now() - *counts.oldest);
        outbox["oldestAgeSeconds"] = std::max<std::int64_t>(age.count(), 0); // the clock may have been set back
    }
    return outbox;
}

static void add_outbox_problems(Json& problems, const cache::OutboxCounts& counts)
{
    const auto add = [&](std::int64_t count, const char* what, const char* hint) {
        if (count == 0) return;
        Json problem;
        problem["what"] = fmt::format("{} {} {}", count, count == 1 ? "write" : "writes", what);
        problem["since"] = nullptr;
        problem["hint"] = hint;
        problems.push_back(problem);
    };
    add(counts.failed, "failed: upstream will not take them as they are",
        "alli-mirror outbox list --state failed; then retry or discard each");
    add(counts.conflicts, "in conflict: upstream changed the same fields meanwhile",
        "alli-mirror outbox list --state conflict; retry sends ours, discard keeps theirs");
}

void add_notes(Json& problems, const std::vector<std::string>& notes)
{
    for (const std::string& note : notes) {
        Json problem;
        problem["what"] = note;
        problem["since"] = nullptr;
        problem["hint"] = "write it so in the settings; the old name goes with a later version";
        problems.push_back(problem);
    }
}

void add_unsupported_parameters(Json& problems, const std::vector<proxy::UnsupportedParameters::Count>& frequent)
{
    for (const proxy::UnsupportedParameters::Count& count : frequent) {
        Json problem;
        problem["what"] =
            fmt::format("{} reads with the parameter `{}` went upstream: the mirror does not know what it asks for",
                        count.reads, count.name);
        problem["since"] = time_json(count.since);
        problem["hint"] = "where it changes nothing (it only breaks caches), name it in proxy.ignored_parameters";
        problems.push_back(problem);
    }
}

Json make_status(cache::Reader& db, cache::Reader& outbox, const std::string& url, const sync::State* live)
{
    const cache::Progress progress = cache::load_progress(db);
    Json status;
    status["version"] = ALLI_VERSION;
    status["upstream"] = make_upstream(url, progress, live);
    status["mirror"] = make_mirror(db, progress, live);
    const cache::OutboxCounts counts = cache::count_entries(outbox);
    status["outbox"] = make_outbox(counts);
    status["webhooks"] = make_webhooks(db, outbox);
    status["problems"] = make_problems(db, live);
    add_outbox_problems(status["problems"], counts);
    add_webhook_problems(status["problems"], outbox, SystemClock().now());
    status["safeToStop"] = counts.pending == 0; // nothing is lost either way; but what waits goes out no sooner
    return status;
}

} // namespace alli::daemon
