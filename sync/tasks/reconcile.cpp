// SPDX-License-Identifier: Apache-2.0
#include "sync/tasks/reconcile.hpp"

#include "cache/conversations.hpp"
#include "cache/deletions.hpp"
#include "sync/tasks/range_verifier.hpp"

namespace alli::sync {
namespace {

// The span verified longest ago, if that was before `before` or lies in the future; none where all is younger.
std::optional<cache::Span> find_stale(SyncContext context, Instant before)
{
    const auto coverage = context.store.read([](cache::Reader& db) { return cache::load_coverage(db); });
    // In the future: then the clock was set back.
    const auto is_stale = [before, now = context.clock.now()](const cache::Interval& it) {
        return it.verified_at < before || it.verified_at > now;
    };
    auto oldest = coverage.end();
    for (auto it = coverage.begin(); it != coverage.end(); ++it)
        if (is_stale(*it) && (oldest == coverage.end() || it->verified_at < oldest->verified_at)) oldest = it;
    if (oldest == coverage.end()) return std::nullopt;

    cache::Span span{oldest->from, oldest->through};
    // Neighbours whose turn it is too go with it: a scan costs at least a page.
    for (auto it = std::next(oldest); it != coverage.end() && is_stale(*it) && it->from == span.through; ++it)
        span.through = it->through;
    for (auto it = oldest; it != coverage.begin() && is_stale(*std::prev(it)) && std::prev(it)->through == span.from;)
        span.from = (--it)->from;
    return span;
}

// Down to the first page after `until` below which another scan can go on.
Task<> reconcile_range(SyncContext context, cache::Span span, Deletions deletions, Clock::Steady until)
{
    IngestOptions options;
    options.priority = upstream::Priority::reconcile;
    options.depth = Depth::all;
    options.audit = true;
    RangeVerifier verifier(context, span, deletions);
    SplitPoints split_points(span);
    Paginator paginator(context.client, span, options.priority);
    Scan scan(context, paginator, options);
    while (auto page = co_await scan.next()) {
        const bool may_end = split_points.is_at(*page) && !verifier.is_open();
        const bool enough = may_end && context.clock.steady() >= until;
        co_await verifier.compare(*page);
        const InCommit mark = [&](cache::Writer& db) { verifier.mark_verified(db, *page); };
        co_await scan.commit(*page, mark, enough);
    }
}

} // namespace

cache::Progress Reconcile::progress() const
{
    return context_.store.read([](cache::Reader& db) { return cache::load_progress(db); });
}

// Never, long ago, or in the future: then the clock was set back.
bool Reconcile::is_old(std::optional<Instant> when) const
{
    const Instant now = context_.clock.now();
    return !when || *when > now || *when < stale_before();
}

// A quarter early, so that a round is over within the interval.
Instant Reconcile::stale_before() const
{
    return context_.clock.now() - interval_ * 3 / 4;
}

bool Reconcile::chatless_scan_due() const
{
    return is_old(progress().chatless_at);
}

bool Reconcile::range_due() const
{
    return find_stale(context_, stale_before()).has_value();
}

bool Reconcile::counts_due() const
{
    const cache::Progress known = progress();
    if (known.counts_disagree || !is_old(known.counted_at)) return false;
    return context_.store.read([](cache::Reader& db) { return cache::is_complete(db); });
}

bool Reconcile::deletion_candidates_due(Deletions deletions) const
{
    return deletions.accepted &&
           context_.store.read([](cache::Reader& db) { return cache::count_deletion_candidates(db); }) > 0;
}

Task<> Reconcile::run_chatless_scan(Deletions deletions)
{
    const bool ends_were_read = std::exchange(ends_read_, std::nullopt).has_value();
    co_await scan_chatless(context_, deletions, ends_were_read);
}

Task<> Reconcile::run_chatless_end_scan(SyncContext backfill, std::optional<Front> front, Deletions deletions)
{
    const bool found = co_await scan_chatless_ends(backfill, std::move(front), deletions);
    if (!found) ends_read_ = context_.clock.steady();
}

// Conversations that bear times from the future stand above all that is verified.
std::optional<cache::Span> Reconcile::find_ahead() const
{
    return context_.store.read([](cache::Reader& db) -> std::optional<cache::Span> {
        const auto top = cache::load_covered(db).through;
        if (!top || cache::ids_within(db, {*top, Instant::max()}).empty()) return std::nullopt;
        return cache::Span{*top, Instant::max()};
    });
}

Task<> Reconcile::reconcile_next_range(Deletions deletions)
{
    constexpr std::chrono::minutes turn{1};
    const Instant now = context_.clock.now(), before = stale_before();
    auto begin = [&](cache::Writer& db) {
        cache::Progress known = cache::load_progress(db);
        if (known.reconcile_started_at && *known.reconcile_started_at <= now && *known.reconcile_started_at >= before)
            return false;
        known.reconcile_started_at = now; // a new round: what it may delete is counted from nothing
        known.reconcile_deleted = 0;
        cache::save_progress(db, known);
        return true;
    };
    const auto ends = context_.clock.steady() + turn;
    const bool new_round = co_await context_.store.write(begin);
    if (const auto ahead = find_ahead(); new_round && ahead)
        co_await reconcile_range(context_, *ahead, deletions, ends);
    for (auto span = find_stale(context_, before); span; span = find_stale(context_, before)) {
        co_await reconcile_range(context_, *span, deletions, ends);
        if (context_.clock.steady() >= ends) break;
    }
}

Task<> Reconcile::run_counts()
{
    co_await compare_counts(context_);
}

Task<> Reconcile::settle_deletion_candidates(Deletions deletions)
{
    constexpr int at_once = 1000;
    auto ids = context_.store.read([](cache::Reader& db) { return cache::load_deletion_candidates(db, at_once); });
    co_await confirm_absent(context_, std::move(ids), deletions);
}

} // namespace alli::sync
