// SPDX-License-Identifier: Apache-2.0
#include "sync/tasks/reconcile.hpp"

#include "alli/page_sizes.hpp"
#include "cache/conversations.hpp"
#include "cache/deletions.hpp"
#include "sync/tasks/range_verifier.hpp"

#include <algorithm>

namespace alli::sync {
namespace {

/// Whose turn it is: verified before `before` or, for then the clock was set back, after `now`.
struct Due {
    Instant before, now;
    bool operator()(const cache::Interval& it) const { return it.verified_at < before || it.verified_at > now; }
};

// A scan costs a page at least: with what is due go neighbours that are not, as long as they hold no more than that.
// Each poll verifies a piece of its own, whose turns would come one by one for ever.
class StaleSpan {
  public:
    StaleSpan(cache::Reader& db, Due is_due) : db_(db), is_due_(is_due), coverage_(cache::load_coverage(db)) {}

    /// The one verified longest ago of those that are due; none where there is none.
    std::optional<cache::Span> find()
    {
        auto oldest = coverage_.end();
        for (auto it = coverage_.begin(); it != coverage_.end(); ++it)
            if (is_due_(*it) && (oldest == coverage_.end() || it->verified_at < oldest->verified_at)) oldest = it;
        if (oldest == coverage_.end()) return std::nullopt;
        cache::Span span{oldest->from, oldest->through};
        for (auto it = std::next(oldest); it != coverage_.end() && it->from == span.through && takes(*it); ++it)
            span.through = it->through;
        for (auto it = oldest; it != coverage_.begin() && std::prev(it)->through == span.from && takes(*std::prev(it));)
            span.from = (--it)->from;
        return span;
    }

  private:
    bool takes(const cache::Interval& neighbour)
    {
        if (is_due_(neighbour)) return true;
        more_ += cache::count_within(db_, {neighbour.from, neighbour.through}, conversations_a_page + 1);
        return more_ <= conversations_a_page;
    }

    cache::Reader& db_;
    Due is_due_;
    std::vector<cache::Interval> coverage_;
    std::int64_t more_ = 0; // conversations of those that are not due
};

std::optional<cache::Span> find_stale(SyncContext context, Instant before)
{
    return context.store.read([&](cache::Reader& db) { return StaleSpan(db, {before, context.clock.now()}).find(); });
}

// Down to the first page after `until` below which another scan can go on.
Task<> reconcile_range(SyncContext context, cache::Span span, Deletions deletions, Clock::Steady until)
{
    IngestOptions options;
    options.priority = upstream::Priority::reconcile;
    options.depth = Depth::all;
    options.audit = true;
    RangeVerifier verifier(context, span, deletions, options.priority);
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
    const auto coverage = context_.store.read([](cache::Reader& db) { return cache::load_coverage(db); });
    return std::any_of(coverage.begin(), coverage.end(), Due{stale_before(), context_.clock.now()});
}

bool Reconcile::counts_due() const
{
    constexpr std::chrono::days rest{7}; // they may have been put right
    const cache::Progress known = progress();
    if (!is_old(known.counted_at)) return false;
    const Instant now = context_.clock.now();
    if (known.counts_disagree && known.counted_at && *known.counted_at <= now && now - *known.counted_at < rest)
        return false;
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
