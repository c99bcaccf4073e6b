// SPDX-License-Identifier: Apache-2.0
#include "sync/tasks/parallel_backfill.hpp"

#include "sync/loop/parallel.hpp"
#include "sync/tasks/estimate.hpp"
#include "sync/tasks/range_verifier.hpp"

#include <algorithm>
#include <cmath>

namespace alli::sync {
namespace {

using std::chrono::microseconds;
using Seconds = std::chrono::duration<double>;

constexpr int opening_pages = 8; // scanned alone, to see how dense it is and how long requests take
// In a window: the last page of each is half empty, so much is lost by cutting.
constexpr std::int64_t least_pages = 8, most_pages = 32;
constexpr int windows_a_place = 3; // in a round, so that a short one does not leave its place idle

struct Scanned {
    int pages = 0;
    std::size_t listed = 0; // conversations
    std::int64_t requests = 0;
    Seconds time{0};
    cache::Span left; // empty when the span was scanned whole
};

/// Where a scan may end before the end of its span.
struct Until {
    int pages = INT_MAX;
    Instant below = Instant::min(); // everything above it is complete
};

Task<Scanned> scan_down(SyncContext context, cache::Span span, Until until, Deletions deletions)
{
    Scanned scanned;
    RangeVerifier verifier(context, span, deletions, upstream::Priority::backfill);
    Paginator paginator(context.client, span, upstream::Priority::backfill);
    Scan scan(context, paginator, backfill_options());
    SplitPoints split_points(span);
    const auto started = context.clock.steady();
    while (auto page = co_await scan.next()) {
        scanned.listed += page->conversations.size();
        ++scanned.pages;
        const bool may_end = split_points.is_at(*page);
        const bool enough = may_end && (scanned.pages >= until.pages || *page->reached < until.below);
        co_await verifier.compare(*page);
        const InCommit mark = [&](cache::Writer& db) { verifier.mark_verified(db, *page); };
        const Ingested done = co_await scan.commit(*page, mark, enough);
        scanned.requests += 1 + done.chat_pages;
    }
    scanned.time = context.clock.steady() - started;
    scanned.left = verifier.left();
    co_return scanned;
}

// As many as use up the budget, where one alone does not; a place is left to local apps.
int places_for(SyncContext context, const Scanned& opening)
{
    const double rate = context.client.pace().requests_per_second;
    const int most = std::max(1, context.max_parallel - 1);
    if (rate <= 0) return most;
    const double at_once =
        rate * opening.time.count() / static_cast<double>(std::max<std::int64_t>(opening.requests, 1));
    return static_cast<int>(std::clamp(std::ceil(at_once), 1.0, static_cast<double>(most)));
}

// None: it cannot be told.
Task<std::optional<Instant>> find_oldest(SyncContext context)
{
    std::optional<Instant> found;
    try {
        const auto listed = co_await list_oldest(context);
        if (!listed.page.conversations.empty()) found = listed.page.conversations.front().last_chat_at;
    } catch (const Error& error) {
        if (error.fault() == Fault::canceled) throw;
    }
    co_return found;
}

/// What is left of a gap, cut from above.
class Windows {
  public:
    /// `opening` led down to it: the windows below are taken to be as dense.
    Windows(cache::Span left, Instant oldest, cache::Span opening, int pages, int places)
        : left_(left), oldest_(std::max(oldest, left.from)), places_(places)
    {
        note(opening, pages, 1);
        adapt();
    }

    cache::Span left() const { return left_; }

    /// One for each place, or several where it is long. The last of all reaches down to the end of the gap, where
    /// nothing is any more.
    std::vector<cache::Span> cut()
    {
        const auto count = static_cast<std::size_t>(places_ * windows_a_place);
        const microseconds a_place = (left_.through - oldest_) / places_ + page_;
        const microseconds size = std::clamp(a_place, page_ * least_pages, page_ * most_pages);
        std::vector<cache::Span> windows;
        while (left_.from < left_.through && windows.size() < count) {
            cache::Span window = left_;
            if (left_.through - oldest_ > size) window.from = left_.through - size;
            left_.through = window.from;
            windows.push_back(window);
        }
        return windows;
    }

    /// Of one that was scanned: how many pages, and conversations, it took.
    void note(cache::Span window, int pages, std::size_t listed)
    {
        time_ += window.through - std::max(window.from, oldest_);
        pages_ += pages;
        hollow_ = hollow_ || listed == 0;
    }

    /// After a round: the next ones are wider, or narrower, as it was less dense than those before, or denser.
    void adapt()
    {
        if (pages_ > 0) page_ = std::max(time_ / pages_, microseconds(std::chrono::seconds(1)));
        time_ = microseconds(0);
        pages_ = 0;
    }

    /// Nothing was in one of them: how far that goes on, a scan finds out in one step.
    bool hollow() const { return hollow_; }

  private:
    cache::Span left_;
    Instant oldest_;
    microseconds page_{0}, time_{0};
    int places_, pages_ = 0;
    bool hollow_ = false;
};

Task<> close_window(SyncContext context, cache::Span window, Windows& windows, Deletions deletions)
{
    const Until its_end;
    const Scanned scanned = co_await scan_down(context, window, its_end, deletions);
    windows.note(window, scanned.pages, scanned.listed);
}

Task<> close_side_by_side(SyncContext context, Windows& windows, int places, Deletions deletions)
{
    while (!windows.hollow()) {
        const auto round = windows.cut();
        if (round.empty()) co_return;
        std::function<Task<>(std::size_t)> one = [&](std::size_t i) {
            return close_window(context, round[i], windows, deletions);
        };
        co_await in_parallel(round.size(), places, one);
        windows.adapt();
    }
}

// Down from each hole until it is closed: below its end, past what cannot be read, if need be.
Task<> close_one_by_one(SyncContext context, cache::Span whole, Deletions deletions)
{
    const auto holes = find_readable_gaps(context, whole, true);
    for (const cache::Span& hole : holes) {
        Until closed;
        closed.below = hole.from;
        const cache::Span down{whole.from, hole.through};
        co_await scan_down(context, down, closed, deletions);
    }
}

} // namespace

IngestOptions backfill_options()
{
    IngestOptions options;
    options.depth = Depth::all; // for what is not held yet it is the same
    return options;
}

std::vector<cache::Span> find_readable_gaps(SyncContext context, cache::Span whole, bool due)
{
    return context.store.read([&](cache::Reader& db) {
        auto gaps = cache::load_gaps(db, whole);
        auto unreadable = cache::load_unreadable(db);
        for (const cache::Problem& it : cache::load_windows(db, whole))
            if (due && cache::is_due(it, context.clock.now())) std::erase(unreadable, *it.unreadable);
        const IntervalSet passed_by(unreadable); // several problems may share a gap
        std::erase_if(gaps, [&](const cache::Span& gap) { return passed_by.contains(gap); });
        return gaps;
    });
}

Task<> close_gap(SyncContext context, cache::Span gap, Deletions deletions)
{
    std::optional<Instant> oldest;
    for (cache::Span left = gap; left.from < left.through;) {
        Until opening_ends;
        opening_ends.pages = opening_pages;
        const Scanned opening = co_await scan_down(context, left, opening_ends, deletions);
        const cache::Span opened{opening.left.through, left.through};
        left = opening.left;
        if (left.from >= left.through) co_return;

        const int places = places_for(context, opening);
        if (places > 1 && !oldest) oldest = co_await find_oldest(context);
        if (places == 1 || !oldest) continue;
        Windows windows(left, *oldest, opened, opening.pages, places);
        bool unreadable = false;
        try {
            co_await close_side_by_side(context, windows, places, deletions);
        } catch (const Error& error) {
            if (error.fault() != Fault::bad_reply) throw;
            unreadable = true; // to the end of a window: how far it goes, only a scan beyond it can tell
        }
        if (unreadable) co_return co_await close_one_by_one(context, left, deletions);
        left = windows.left();
    }
}

} // namespace alli::sync
