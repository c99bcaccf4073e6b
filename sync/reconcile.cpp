// SPDX-License-Identifier: Apache-2.0
#include "sync/reconcile.hpp"

#include "cache/conversations.hpp"
#include "cache/deletions.hpp"

namespace alli::sync {

cache::Progress Reconcile::progress() const
{
    return tools_.store.read([](cache::Reader& db) { return cache::load_progress(db); });
}

// Never, long ago, or in the future: then the clock was set back.
bool Reconcile::is_old(std::optional<Instant> when) const
{
    const Instant now = tools_.clock.now();
    return !when || *when > now || *when < stale_before();
}

// A quarter early, so that a round is over within the interval.
Instant Reconcile::stale_before() const
{
    return tools_.clock.now() - interval_ * 3 / 4;
}

bool Reconcile::census_due() const
{
    return is_old(progress().chatless_at);
}

bool Reconcile::sweep_due() const
{
    return find_stale(tools_, stale_before()).has_value();
}

bool Reconcile::counts_due() const
{
    const cache::Progress known = progress();
    if (known.counts_off || !is_old(known.counted_at)) return false;
    return tools_.store.read([](cache::Reader& db) { return cache::is_complete(db); });
}

bool Reconcile::suspects_due(Deletions deletions) const
{
    return deletions.accepted && tools_.store.read([](cache::Reader& db) { return cache::count_suspects(db); }) > 0;
}

Task<> Reconcile::run_census(Deletions deletions, Duties duties)
{
    const bool ends_were_read = std::exchange(ends_read_, std::nullopt).has_value();
    co_await census(tools_, deletions, duties, ends_were_read);
}

Task<> Reconcile::run_census_by_ends(std::optional<Front> front, Deletions deletions, Duties duties)
{
    const bool found = co_await census_by_ends(tools_, std::move(front), deletions, duties);
    if (!found) ends_read_ = tools_.clock.steady();
}

// Conversations that bear times from the future stand above all that is certified.
std::optional<cache::Span> Reconcile::find_ahead() const
{
    return tools_.store.read([](cache::Reader& db) -> std::optional<cache::Span> {
        const auto top = cache::load_covered(db).through;
        if (!top || cache::ids_within(db, {*top, Instant::max()}).empty()) return std::nullopt;
        return cache::Span{*top, Instant::max()};
    });
}

Task<> Reconcile::run_sweep(Deletions deletions, Duties duties)
{
    constexpr std::chrono::minutes turn{1};
    const Instant now = tools_.clock.now(), before = stale_before();
    auto begin = [&](cache::Writer& db) {
        cache::Progress known = cache::load_progress(db);
        if (known.swept_at && *known.swept_at <= now && *known.swept_at >= before) return false;
        known.swept_at = now; // a new round: what it may delete is counted from nothing
        known.sweep_deleted = 0;
        cache::save_progress(db, known);
        return true;
    };
    const auto ends = tools_.clock.steady() + turn;
    const auto is_over = [this, ends] { return tools_.clock.steady() >= ends; };
    duties.enough = [is_over](const Step&) { return is_over(); };
    const bool new_round = co_await tools_.store.write(begin);
    if (const auto ahead = find_ahead(); new_round && ahead) co_await sweep(tools_, *ahead, deletions, duties);
    for (auto span = find_stale(tools_, before); span; span = find_stale(tools_, before)) {
        co_await sweep(tools_, *span, deletions, duties);
        if (is_over()) break;
    }
}

Task<> Reconcile::run_counts(Duties duties)
{
    co_await compare_counts(tools_, duties);
}

Task<> Reconcile::settle_suspects(Deletions deletions, Duties duties)
{
    constexpr int at_once = 1000;
    auto ids = tools_.store.read([](cache::Reader& db) { return cache::load_suspects(db, at_once); });
    co_await confirm_absent(tools_, std::move(ids), deletions, duties.report);
}

} // namespace alli::sync
