// SPDX-License-Identifier: Apache-2.0
#include "sync/chatless_places.hpp"
#include "sync/parallel_backfill.hpp"
#include "sync/unreadable_ranges.hpp"

namespace alli::sync {
namespace {

using cache::Progress;

// The very first page ever: from its moment on, it is the increments' to know what is new.
class Beginning {
  public:
    /// `windowed`: it leaves out conversations without a chat.
    Beginning(SyncContext context, RangeVerifier& verifier, bool windowed)
        : context_(context), verifier_(verifier), windowed_(windowed)
    {}

    Task<> compare(const Page& page, std::function<void(const Ingested&)> report)
    {
        unit_ = context_.client.time_unit();
        if (!boundary_) {
            boundary_ = page.asked_at - date_grain;
            verifier_.end_at(*boundary_);
            begin_front(page);
        }
        look_at_front(page);
        return verifier_.compare(page, report);
    }

    void save(cache::Writer& db)
    {
        if (front_) { // with the first that is verified: in which order a list is, is known by then
            const SeenPlaces seen{front_->sightings.place(front_->whole), std::nullopt,
                                  front_->sightings.front_clear(front_->whole)};
            keep_places(db, seen, context_.clock.now());
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
        for (const Conversation& conversation : page.conversations)
            if (!conversation.last_chat_at) front_->chatless.push_back(conversation.id);
    }

    // Where they fill pages, the scan goes on below them.
    void look_at_front(const Page& page)
    {
        if (front_ && !front_->sightings.front_is_over()) front_->sightings.see(page.conversations);
    }

    SyncContext context_;
    RangeVerifier& verifier_;
    bool windowed_;
    std::optional<Front> front_;
    std::optional<Instant> boundary_;
    TimeUnit unit_ = TimeUnit::unknown; // as of the last page: saved on the store's thread
    bool saved_ = false;
};

Task<std::optional<Front>> begin(SyncContext context, cache::Span whole, Deletions deletions, ScanHooks hooks)
{
    RangeVerifier verifier(context, whole, deletions);
    Beginning beginning(context, verifier, whole.from > cache::beginning_of_time);
    Paginator paginator(context.client, whole, upstream::Priority::backfill);
    hooks.compare = [&beginning, report = hooks.report](const Page& page) { return beginning.compare(page, report); };
    Save save = [&](cache::Writer& db, const Page& page) {
        verifier.mark_verified(db, page);
        beginning.save(db);
    };
    // The rest is a gap below it like any other; while no time was seen there is no such thing.
    hooks.enough = [](const Page& page) { return !page.conversations.empty() && page.reached; };
    const IngestOptions ingest_options = backfill_options();
    co_await run_scan(context, paginator, ingest_options, save, hooks);
    co_return beginning.take_front();
}

std::optional<Instant> load_boundary(SyncContext context)
{
    return context.store.read([](cache::Reader& db) { return cache::load_progress(db).boundary; });
}

std::vector<cache::Span> load_work(SyncContext context, Instant since)
{
    const auto boundary = load_boundary(context);
    if (!boundary) return {{since, Instant::max()}};
    return find_readable_gaps(context, {since, *boundary});
}

} // namespace

bool backfill_due(SyncContext context, Instant since)
{
    return !load_work(context, since).empty();
}

Task<std::optional<Front>> begin_backfill(SyncContext context, Instant since, Deletions deletions, ScanHooks hooks)
{
    if (load_boundary(context)) co_return std::nullopt;
    const cache::Span whole{since, Instant::max()};
    co_return co_await begin(context, whole, deletions, hooks);
}

Task<> backfill(SyncContext context, Instant since, Deletions deletions, ScanHooks hooks)
{
    const auto work = load_work(context, since);
    for (const cache::Span& gap : work) co_await close_gap(context, gap, deletions, hooks);
    auto done = [&](cache::Writer& db) {
        Progress progress = cache::load_progress(db);
        progress.backfill_done = true;
        cache::save_progress(db, progress);
    };
    co_await context.store.write(done);
}

Task<> retry_window(SyncContext context, cache::Problem problem, Deletions deletions, ScanHooks hooks)
{
    std::optional<cache::Span> span;
    auto begin = [&](cache::Writer& db) { span = begin_retry(db, problem.key); };
    co_await context.store.write(begin);
    if (!span) co_return;
    std::string why = "a scan of that time did not get there";
    try {
        co_await close_gap(context, *span, deletions, hooks);
    } catch (const Error& error) {
        if (error.fault() != Fault::bad_reply) throw;
        why = error.what(); // to its very end: other times are not concerned
    }
    auto end = [&](cache::Writer& db) { end_retry(db, *span, why, context.clock.now()); };
    co_await context.store.write(end);
}

} // namespace alli::sync
