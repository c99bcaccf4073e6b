// SPDX-License-Identifier: Apache-2.0
#include "cache/rows/suppression_list.hpp"
#include "sync/pages/unreadable_ranges.hpp"
#include "sync/tasks/chatless_places.hpp"
#include "sync/tasks/parallel_backfill.hpp"
#include "sync/tasks/tasks.hpp"

namespace alli::sync {
namespace {

using cache::Progress;

// The very first page ever: from its moment on, it is the increments' to know what is new.
class Beginning {
  public:
    /// `windowed`: it leaves out conversations without a chat.
    explicit Beginning(bool windowed) : windowed_(windowed) {}

    /// Returns the boundary when the first page sets it.
    std::optional<Instant> take(const Page& page)
    {
        unit_ = page.unit;
        const bool first = !boundary_;
        if (first) {
            boundary_ = page.asked_at - date_grain;
            begin_front(page);
        }
        // Where conversations without a chat fill pages, the scan goes on below them.
        if (front_ && !front_->sightings.front_is_over()) front_->sightings.see(page.conversations);
        return first ? boundary_ : std::nullopt;
    }

    void save(cache::Writer& db, Instant now)
    {
        if (front_) { // with the first that is verified: in which order a list is, is known by then
            const SeenPlaces seen{front_->sightings.place(front_->whole), std::nullopt,
                                  front_->sightings.front_clear(front_->whole)};
            keep_places(db, seen, now);
        }
        if (std::exchange(saved_, true)) return;
        Progress progress = cache::load_progress(db);
        progress.boundary = boundary_;
        progress.unit = unit_;
        cache::save_progress(db, progress); // what lies above the boundary, only a poll has seen whole
    }

    std::optional<Front> take_front() { return std::move(front_); }

  private:
    void begin_front(const Page& page)
    {
        if (windowed_ || !page.unreadable.empty()) return;
        front_.emplace();
        front_->whole = page.last;
        front_->asked_at = page.sent_at;
        for (const Conversation& conversation : page.conversations)
            if (!conversation.last_chat_at) front_->chatless.push_back(conversation.id);
    }

    bool windowed_;
    std::optional<Front> front_;
    std::optional<Instant> boundary_;
    TimeUnit unit_ = TimeUnit::unknown;
    bool saved_ = false;
};

/// Where a backfill ends: at the boundary, once there is one, and where older conversations are not to be kept.
struct Ends {
    Instant since;
    std::optional<Instant> boundary;
};

Ends load_ends(SyncContext context, Instant since)
{
    return context.store.read([&](cache::Reader& db) {
        const auto horizon = cache::find_horizon(db);
        return Ends{std::max(since, horizon.value_or(since)), cache::load_progress(db).boundary};
    });
}

std::vector<cache::Span> load_work(SyncContext context, Instant since)
{
    const Ends ends = load_ends(context, since);
    if (!ends.boundary) return {{ends.since, Instant::max()}};
    return find_readable_gaps(context, {ends.since, *ends.boundary});
}

} // namespace

bool backfill_due(SyncContext context, Instant since)
{
    return !load_work(context, since).empty();
}

Task<std::optional<Front>> begin_backfill(SyncContext context, Instant since, Deletions deletions)
{
    const Ends ends = load_ends(context, since);
    if (ends.boundary) co_return std::nullopt;
    const cache::Span whole{ends.since, Instant::max()};
    RangeVerifier verifier(context, whole, deletions, upstream::Priority::backfill);
    Beginning beginning(ends.since > cache::beginning_of_time);
    Paginator paginator(context.client, whole, upstream::Priority::backfill);
    Scan scan(context, paginator, backfill_options());
    while (auto page = co_await scan.next()) {
        if (const auto boundary = beginning.take(*page)) verifier.end_at(*boundary);
        co_await verifier.compare(*page);
        const InCommit mark = [&](cache::Writer& db) {
            verifier.mark_verified(db, *page);
            beginning.save(db, context.clock.now());
        };
        // The rest is a gap below it like any other; while no time was seen there is no such thing.
        const bool enough = !page->conversations.empty() && page->reached;
        co_await scan.commit(*page, mark, enough);
    }
    co_return beginning.take_front();
}

Task<> backfill(SyncContext context, Instant since, Deletions deletions)
{
    const auto work = load_work(context, since);
    for (const cache::Span& gap : work) co_await close_gap(context, gap, deletions);
    auto done = [&](cache::Writer& db) {
        Progress progress = cache::load_progress(db);
        progress.backfill_done = true;
        cache::save_progress(db, progress);
    };
    co_await context.store.write(done);
}

Task<> retry_window(SyncContext context, cache::Problem problem, Deletions deletions)
{
    std::optional<cache::Span> span;
    auto begin = [&](cache::Writer& db) { span = begin_retry(db, problem.key); };
    co_await context.store.write(begin);
    if (!span) co_return;
    std::string why = "a scan of that time did not get there";
    try {
        co_await close_gap(context, *span, deletions);
    } catch (const Error& error) {
        if (error.fault() != Fault::bad_reply) throw;
        why = error.what(); // to its very end: other times are not concerned
    }
    auto end = [&](cache::Writer& db) { end_retry(db, *span, why, context.clock.now()); };
    co_await context.store.write(end);
}

} // namespace alli::sync
