// SPDX-License-Identifier: Apache-2.0
#include "sync/stretch.hpp"

namespace alli::sync {
namespace {

using cache::Progress;

// The very first page ever: from its moment on, it is the increments' to know what is new.
class Beginning {
  public:
    Beginning(Tools tools, Stretch& stretch) : tools_(tools), stretch_(stretch) {}

    Task<> compare(const Step& step, std::function<void(const Ingested&)> report)
    {
        if (!boundary_) {
            boundary_ = step.asked_at - date_grain;
            stretch_.end_at(*boundary_);
        }
        return stretch_.compare(step, report);
    }

    void save(cache::Writer& db, const Step& step)
    {
        if (std::exchange(saved_, true)) return;
        Progress progress = cache::load_progress(db);
        progress.boundary = boundary_;
        progress.unit = tools_.client.time_unit();
        if (!progress.verified_at) progress.verified_at = step.sent_at;
        cache::save_progress(db, progress);
    }

  private:
    Tools tools_;
    Stretch& stretch_;
    std::optional<Instant> boundary_;
    bool saved_ = false;
};

How how_to_fill()
{
    How how;
    how.depth = Depth::all; // what is held already may have changed unseen; for all others it is the same
    return how;
}

Task<> close_gap(Tools tools, cache::Span gap, Deletions deletions, Duties duties)
{
    Stretch stretch(tools, gap, deletions);
    std::optional<Instant> from;
    if (gap.from > cache::beginning_of_time) from = gap.from;
    // An inclusive bound brings the edge again.
    Walk walk(tools.client, from, gap.through + std::chrono::seconds(1), upstream::Priority::backfill);
    Save nothing_more;
    const How how = how_to_fill();
    co_await walk_stretch(tools, stretch, walk, how, nothing_more, duties);
}

Task<> begin(Tools tools, cache::Span whole, Deletions deletions, Duties duties)
{
    Stretch stretch(tools, whole, deletions);
    Beginning beginning(tools, stretch);
    std::optional<Instant> from;
    if (whole.from > cache::beginning_of_time) from = whole.from;
    Walk walk(tools.client, from, std::nullopt, upstream::Priority::backfill);
    duties.compare = [&beginning, report = duties.report](const Step& step) { return beginning.compare(step, report); };
    Save save = [&](cache::Writer& db, const Step& step) {
        stretch.certify(db, step);
        beginning.save(db, step);
    };
    const How how = how_to_fill();
    co_await go_down(tools, walk, how, save, duties);
}

std::vector<cache::Span> load_work(Tools tools, Instant since)
{
    return tools.store.read([&](cache::Reader& db) {
        const auto boundary = cache::load_progress(db).boundary;
        if (!boundary) return std::vector<cache::Span>{{since, Instant::max()}};
        auto gaps = cache::load_gaps(db, {since, *boundary});
        const auto unreadable = cache::load_unreadable(db);
        std::erase_if(gaps, [&](const cache::Span& gap) { // those are tried again when their time comes
            return std::any_of(unreadable.begin(), unreadable.end(),
                               [&](const cache::Span& it) { return it.from <= gap.from && gap.through <= it.through; });
        });
        return gaps;
    });
}

} // namespace

bool backfill_due(Tools tools, Instant since)
{
    return !load_work(tools, since).empty();
}

Task<> backfill(Tools tools, Instant since, Deletions deletions, Duties duties)
{
    const auto work = load_work(tools, since);
    for (const cache::Span& gap : work) {
        if (gap.through == Instant::max())
            co_await begin(tools, gap, deletions, duties);
        else
            co_await close_gap(tools, gap, deletions, duties);
    }
    auto done = [&](cache::Writer& db) {
        Progress progress = cache::load_progress(db);
        progress.backfill_done = true;
        cache::save_progress(db, progress);
    };
    co_await tools.store.write(done);
}

Task<> retry_window(Tools tools, cache::Problem problem, Deletions deletions, Duties duties)
{
    auto forget = [&](cache::Writer& db) { cache::clear_problem(db, problem.key); };
    co_await tools.store.write(forget); // what still cannot be read is noted anew
    // What bears times from the future stands above all that polls certify: there is nothing to certify there.
    const auto boundary = tools.store.read([](cache::Reader& db) { return cache::load_progress(db); }).boundary;
    cache::Span gap = *problem.unreadable;
    gap.through = std::min(gap.through, boundary.value_or(gap.through));
    if (gap.from < gap.through) co_await close_gap(tools, gap, deletions, duties);
}

} // namespace alli::sync
