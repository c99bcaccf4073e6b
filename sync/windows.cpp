// SPDX-License-Identifier: Apache-2.0
#include "sync/windows.hpp"

#include "sync/estimate.hpp"
#include "sync/parallel.hpp"

#include <algorithm>
#include <cmath>

namespace alli::sync {
namespace {

using std::chrono::microseconds;
using Seconds = std::chrono::duration<double>;

constexpr int opening_pages = 8; // walked alone, to see how dense it is and how long requests take
// In a window: the last page of each is half empty, so much is lost by cutting.
constexpr std::int64_t least_pages = 8, most_pages = 32;
constexpr int windows_a_place = 3; // in a round, so that a short one does not leave its place idle

struct Walked {
    int pages = 0;
    std::size_t listed = 0; // conversations
    std::int64_t requests = 0;
    Seconds time{0};
    cache::Span left; // empty when the span was walked whole
};

/// Where a walk may end before the end of its span.
struct Until {
    int pages = INT_MAX;
    Instant below = Instant::min(); // everything above it is complete
};

Task<Walked> walk_down(Tools tools, cache::Span span, Until until, Deletions deletions, Duties duties)
{
    Walked walked;
    Stretch stretch(tools, span, deletions);
    Walk walk(tools.client, span, upstream::Priority::backfill);
    Edges edges(span);
    duties.enough = [&](const Step& step) {
        walked.listed += step.conversations.size();
        ++walked.pages;
        return edges.is_at(step) && (walked.pages >= until.pages || *step.reached < until.below);
    };
    duties.report = [&, report = duties.report](const Ingested& done) {
        walked.requests += 1 + done.chat_pages;
        if (report) report(done);
    };
    Save nothing_more;
    const How how = how_to_fill();
    const auto started = tools.clock.steady();
    co_await walk_stretch(tools, stretch, walk, how, nothing_more, duties);
    walked.time = tools.clock.steady() - started;
    walked.left = stretch.left();
    co_return walked;
}

// As many as use up the budget, where one alone does not; a place is left to local apps.
int places_for(Tools tools, const Walked& opening)
{
    const double rate = tools.client.pace().requests_per_second;
    const int most = std::max(1, tools.max_parallel - 1);
    if (rate <= 0) return most;
    const double at_once =
        rate * opening.time.count() / static_cast<double>(std::max<std::int64_t>(opening.requests, 1));
    return static_cast<int>(std::clamp(std::ceil(at_once), 1.0, static_cast<double>(most)));
}

// None: it cannot be told.
Task<std::optional<Instant>> find_oldest(Tools tools)
{
    std::optional<Instant> found;
    try {
        const auto listed = co_await list_oldest(tools);
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

    /// Of one that was walked: how many pages, and conversations, it took.
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

    /// Nothing was in one of them: how far that goes on, a walk finds out in one step.
    bool hollow() const { return hollow_; }

  private:
    cache::Span left_;
    Instant oldest_;
    microseconds page_{0}, time_{0};
    int places_, pages_ = 0;
    bool hollow_ = false;
};

Task<> close_window(Tools tools, cache::Span window, Windows& windows, Deletions deletions, Duties duties)
{
    const Until its_end;
    const Walked walked = co_await walk_down(tools, window, its_end, deletions, duties);
    windows.note(window, walked.pages, walked.listed);
}

Task<> close_side_by_side(Tools tools, Windows& windows, int places, Deletions deletions, Duties duties)
{
    while (!windows.hollow()) {
        const auto round = windows.cut();
        if (round.empty()) co_return;
        std::function<Task<>(std::size_t)> one = [&](std::size_t i) {
            return close_window(tools, round[i], windows, deletions, duties);
        };
        co_await in_parallel(round.size(), places, one);
        windows.adapt();
    }
}

// Down from each hole until it is closed: below its end, past what cannot be read, if need be.
Task<> close_one_by_one(Tools tools, cache::Span whole, Deletions deletions, Duties duties)
{
    const auto holes = find_readable_gaps(tools, whole, true);
    for (const cache::Span& hole : holes) {
        Until closed;
        closed.below = hole.from;
        const cache::Span down{whole.from, hole.through};
        co_await walk_down(tools, down, closed, deletions, duties);
    }
}

// Several problems may share a gap.
std::vector<cache::Span> join(std::vector<cache::Span> spans)
{
    std::sort(spans.begin(), spans.end(), [](const auto& a, const auto& b) { return a.from < b.from; });
    std::vector<cache::Span> joined;
    for (const cache::Span& span : spans) {
        if (!joined.empty() && span.from <= joined.back().through)
            joined.back().through = std::max(joined.back().through, span.through);
        else
            joined.push_back(span);
    }
    return joined;
}

} // namespace

How how_to_fill()
{
    How how;
    how.depth = Depth::all; // for what is not held yet it is the same
    return how;
}

std::vector<cache::Span> find_readable_gaps(Tools tools, cache::Span whole, bool due)
{
    return tools.store.read([&](cache::Reader& db) {
        auto gaps = cache::load_gaps(db, whole);
        auto unreadable = cache::load_unreadable(db);
        for (const cache::Problem& it : cache::load_windows(db, whole))
            if (due && cache::is_due(it, tools.clock.now())) std::erase(unreadable, *it.unreadable);
        unreadable = join(std::move(unreadable));
        std::erase_if(gaps, [&](const cache::Span& gap) {
            return std::any_of(unreadable.begin(), unreadable.end(),
                               [&](const cache::Span& it) { return it.from <= gap.from && gap.through <= it.through; });
        });
        return gaps;
    });
}

Task<> close_gap(Tools tools, cache::Span gap, Deletions deletions, Duties duties)
{
    std::optional<Instant> oldest;
    for (cache::Span left = gap; left.from < left.through;) {
        Until opening_ends;
        opening_ends.pages = opening_pages;
        const Walked opening = co_await walk_down(tools, left, opening_ends, deletions, duties);
        const cache::Span opened{opening.left.through, left.through};
        left = opening.left;
        if (left.from >= left.through) co_return;

        const int places = places_for(tools, opening);
        if (places > 1 && !oldest) oldest = co_await find_oldest(tools);
        if (places == 1 || !oldest) continue;
        Windows windows(left, *oldest, opened, opening.pages, places);
        bool unreadable = false;
        try {
            co_await close_side_by_side(tools, windows, places, deletions, duties);
        } catch (const Error& error) {
            if (error.fault() != Fault::bad_reply) throw;
            unreadable = true; // to the end of a window: how far it goes, only a walk beyond it can tell
        }
        if (unreadable) co_return co_await close_one_by_one(tools, left, deletions, duties);
        left = windows.left();
    }
}

} // namespace alli::sync
