// SPDX-License-Identifier: Apache-2.0
#include "sync/passes.hpp"
#include "sync/retry.hpp"
#include "sync/walk.hpp"

namespace alli::sync {
namespace {

using cache::Progress;
using std::chrono::microseconds;

// Everything above the page's oldest is here now; of that very time some may still be missing.
Instant covered_from(const Step& step, Instant since)
{
    if (step.last || !step.reached) return since;
    return std::max(*step.reached + microseconds(1), since);
}

void save_step(cache::Writer& db, const Step& step, Instant since, Instant through, TimeUnit unit, Instant now)
{
    Progress progress = cache::load_progress(db);
    if (!progress.boundary) progress.boundary = through; // from here on it is the increments' to move
    progress.unit = unit;
    progress.backfill_done = step.last;
    // Never below `since`: a window's edge may bring one from just before it, and what lies between is not certified.
    if (step.reached) progress.backfill_bound = std::max(*step.reached + microseconds(1), since);
    if (!progress.verified_at) progress.verified_at = now;
    cache::save_progress(db, progress);
    if (step.last || step.reached) cache::cover(db, {covered_from(step, since), through, now});
}

} // namespace

void note_clock(cache::Writer& db, bool has_date, Instant now)
{
    constexpr std::string_view key = "clock";
    if (has_date)
        cache::clear_problem(db, key);
    else
        cache::put_problem(db, key,
                           {"upstream sends no Date: what changed lately is told by this machine's clock",
                            "keep this machine's clock right (NTP); see docs/operations.md, \"Clocks\"", now});
}

Task<> backfill(Tools tools, Instant since, std::function<Task<>()> between, Report report)
{
    const Progress before = tools.store.read([](cache::Reader& db) { return cache::load_progress(db); });
    // An inclusive bound at the microsecond where the last run stopped brings the edge again; the walk adds the unit.
    std::optional<Instant> bound;
    if (before.backfill_bound) bound = *before.backfill_bound + std::chrono::seconds(1);
    const std::optional<Instant> from = since == cache::beginning_of_time ? std::nullopt : std::optional(since);
    Walk walk(tools.client, from, bound, upstream::Priority::backfill);
    std::optional<Instant> through = before.boundary; // what is above it, increments bring
    if (bound) through = *before.backfill_bound;      // what is above that, earlier runs certified

    for (bool last = false; !last;) {
        std::function<Task<Step>()> ask = [&walk] { return walk.next(); };
        Step step = co_await with_retries(tools.clock, tools.random, ask);
        if (!through) through = step.asked_at - date_grain;
        auto save = [&](cache::Writer& db) {
            const Instant now = tools.clock.now();
            save_step(db, step, since, *through, tools.client.time_unit(), now);
            note_clock(db, step.has_date, now);
        };
        std::function<void(cache::Writer&)> also = save;
        auto listed = std::move(step.conversations);
        const Ingested done =
            co_await ingest(tools, std::move(listed), Source::list, upstream::Priority::backfill, also);
        report(done);
        last = step.last;
        co_await between();
    }
}

} // namespace alli::sync
