// SPDX-License-Identifier: Apache-2.0
#include "sync/reconcile.hpp"

#include "cache/conversations.hpp"
#include "cache/deletions.hpp"

namespace alli::sync {

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
    if (known.counts_off || !is_old(known.counted_at)) return false;
    return context_.store.read([](cache::Reader& db) { return cache::is_complete(db); });
}

bool Reconcile::deletion_candidates_due(Deletions deletions) const
{
    return deletions.accepted && context_.store.read([](cache::Reader& db) { return cache::count_suspects(db); }) > 0;
}

Task<> Reconcile::run_chatless_scan(Deletions deletions, ScanHooks hooks)
{
    const bool ends_were_read = std::exchange(ends_read_, std::nullopt).has_value();
    co_await scan_chatless(context_, deletions, hooks, ends_were_read);
}

Task<> Reconcile::run_chatless_end_scan(std::optional<Front> front, Deletions deletions, ScanHooks hooks)
{
    const bool found = co_await scan_chatless_ends(context_, std::move(front), deletions, hooks);
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

Task<> Reconcile::reconcile_next_range(Deletions deletions, ScanHooks hooks)
{
    constexpr std::chrono::minutes turn{1};
    const Instant now = context_.clock.now(), before = stale_before();
    auto begin = [&](cache::Writer& db) {
        cache::Progress known = cache::load_progress(db);
        if (known.swept_at && *known.swept_at <= now && *known.swept_at >= before) return false;
        known.swept_at = now; // a new round: what it may delete is counted from nothing
        known.sweep_deleted = 0;
        cache::save_progress(db, known);
        return true;
    };
    const auto ends = context_.clock.steady() + turn;
    const auto is_over = [this, ends] { return context_.clock.steady() >= ends; };
    hooks.enough = [is_over](const Page&) { return is_over(); };
    const bool new_round = co_await context_.store.write(begin);
    if (const auto ahead = find_ahead(); new_round && ahead)
        co_await reconcile_range(context_, *ahead, deletions, hooks);
    for (auto span = find_stale(context_, before); span; span = find_stale(context_, before)) {
        co_await reconcile_range(context_, *span, deletions, hooks);
        if (is_over()) break;
    }
}

Task<> Reconcile::run_counts(ScanHooks hooks)
{
    co_await compare_counts(context_, hooks);
}

Task<> Reconcile::settle_deletion_candidates(Deletions deletions, ScanHooks hooks)
{
    constexpr int at_once = 1000;
    auto ids = context_.store.read([](cache::Reader& db) { return cache::load_suspects(db, at_once); });
    co_await confirm_absent(context_, std::move(ids), deletions, hooks.report);
}

} // namespace alli::sync
