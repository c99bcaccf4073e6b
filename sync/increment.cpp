// SPDX-License-Identifier: Apache-2.0
#include "sync/passes.hpp"
#include "sync/retry.hpp"
#include "sync/walk.hpp"

namespace alli::sync {
namespace {

void save_pass(cache::Writer& db, Instant from, Instant started, TimeUnit unit, Instant now)
{
    cache::Progress progress = cache::load_progress(db);
    // Upstream's clock may have been set back; what is certain does not shrink for that.
    progress.boundary = std::max(started, progress.boundary.value_or(started));
    progress.unit = unit;
    progress.verified_at = now;
    cache::save_progress(db, progress);
    cache::cover(db, {from, started, now});
}

} // namespace

Task<> increment(Tools tools, std::chrono::microseconds overlap, Report report)
{
    const cache::Progress before = tools.store.read([](cache::Reader& db) { return cache::load_progress(db); });
    if (!before.boundary) co_return; // nothing to go on from: the backfill sets it with its first page
    const Instant from = *before.boundary - overlap;
    Walk walk(tools.client, from, std::nullopt, upstream::Priority::increment);
    std::optional<Instant> started;

    for (bool last = false; !last;) {
        std::function<Task<Step>()> ask = [&walk] { return walk.next(); };
        Step step = co_await with_retries(tools.clock, tools.random, ask);
        if (!started) started = step.asked_at - date_grain;
        last = step.last;
        auto save = [&](cache::Writer& db) {
            const Instant now = tools.clock.now();
            if (step.last) save_pass(db, from, *started, tools.client.time_unit(), now);
            note_clock(db, step.has_date, now);
        };
        std::function<void(cache::Writer&)> also = save;
        auto listed = std::move(step.conversations);
        const Ingested done =
            co_await ingest(tools, std::move(listed), Source::list, upstream::Priority::increment, also);
        report(done);
    }
}

} // namespace alli::sync
