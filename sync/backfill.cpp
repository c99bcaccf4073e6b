// SPDX-License-Identifier: Apache-2.0
#include "sync/places.hpp"
#include "sync/unlisted.hpp"
#include "sync/windows.hpp"

namespace alli::sync {
namespace {

using cache::Progress;

// The very first page ever: from its moment on, it is the increments' to know what is new.
class Beginning {
  public:
    /// `windowed`: it leaves out conversations without a chat.
    Beginning(Tools tools, Stretch& stretch, bool windowed) : tools_(tools), stretch_(stretch), windowed_(windowed) {}

    Task<> compare(const Step& step, std::function<void(const Ingested&)> report)
    {
        unit_ = tools_.client.time_unit();
        if (!boundary_) {
            boundary_ = step.asked_at - date_grain;
            stretch_.end_at(*boundary_);
            begin_front(step);
        }
        look_at_front(step);
        return stretch_.compare(step, report);
    }

    void save(cache::Writer& db)
    {
        if (front_) { // with the first that is certified: in which order a list is, is known by then
            const SeenPlaces seen{front_->sightings.place(front_->whole), std::nullopt};
            keep_places(db, seen, tools_.clock.now());
        }
        if (std::exchange(saved_, true)) return;
        Progress progress = cache::load_progress(db);
        progress.boundary = boundary_;
        progress.unit = unit_;
        cache::save_progress(db, progress); // what lies above the boundary, only a poll has seen whole
    }

    std::optional<Front> take_front() { return std::move(front_); }

  private:
    void begin_front(const Step& step)
    {
        if (windowed_ || !step.unreadable.empty()) return;
        front_.emplace();
        front_->whole = step.last;
        for (const Conversation& conversation : step.conversations)
            if (!conversation.last_chat_at) front_->chatless.push_back(conversation.id);
    }

    // Where they fill pages, the walk goes on below them.
    void look_at_front(const Step& step)
    {
        if (front_ && !front_->sightings.front_is_over()) front_->sightings.see(step.conversations);
    }

    Tools tools_;
    Stretch& stretch_;
    bool windowed_;
    std::optional<Front> front_;
    std::optional<Instant> boundary_;
    TimeUnit unit_ = TimeUnit::unknown; // as of the last page: saved on the store's thread
    bool saved_ = false;
};

Task<std::optional<Front>> begin(Tools tools, cache::Span whole, Deletions deletions, Duties duties)
{
    Stretch stretch(tools, whole, deletions);
    Beginning beginning(tools, stretch, whole.from > cache::beginning_of_time);
    Walk walk(tools.client, whole, upstream::Priority::backfill);
    duties.compare = [&beginning, report = duties.report](const Step& step) { return beginning.compare(step, report); };
    Save save = [&](cache::Writer& db, const Step& step) {
        stretch.certify(db, step);
        beginning.save(db);
    };
    // The rest is a gap below it like any other; while no time was seen there is no such thing.
    duties.enough = [](const Step& step) { return !step.conversations.empty() && step.reached; };
    const How how = how_to_fill();
    co_await go_down(tools, walk, how, save, duties);
    co_return beginning.take_front();
}

std::optional<Instant> load_boundary(Tools tools)
{
    return tools.store.read([](cache::Reader& db) { return cache::load_progress(db).boundary; });
}

std::vector<cache::Span> load_work(Tools tools, Instant since)
{
    const auto boundary = load_boundary(tools);
    if (!boundary) return {{since, Instant::max()}};
    return find_readable_gaps(tools, {since, *boundary});
}

} // namespace

bool backfill_due(Tools tools, Instant since)
{
    return !load_work(tools, since).empty();
}

Task<std::optional<Front>> begin_backfill(Tools tools, Instant since, Deletions deletions, Duties duties)
{
    if (load_boundary(tools)) co_return std::nullopt;
    const cache::Span whole{since, Instant::max()};
    co_return co_await begin(tools, whole, deletions, duties);
}

Task<> backfill(Tools tools, Instant since, Deletions deletions, Duties duties)
{
    const auto work = load_work(tools, since);
    for (const cache::Span& gap : work) co_await close_gap(tools, gap, deletions, duties);
    auto done = [&](cache::Writer& db) {
        Progress progress = cache::load_progress(db);
        progress.backfill_done = true;
        cache::save_progress(db, progress);
    };
    co_await tools.store.write(done);
}

Task<> retry_window(Tools tools, cache::Problem problem, Deletions deletions, Duties duties)
{
    std::optional<cache::Span> span;
    auto begin = [&](cache::Writer& db) { span = begin_retry(db, problem.key); };
    co_await tools.store.write(begin);
    if (!span) co_return;
    std::string why = "a walk down that time did not get there";
    try {
        co_await close_gap(tools, *span, deletions, duties);
    } catch (const Error& error) {
        if (error.fault() != Fault::bad_reply) throw;
        why = error.what(); // to its very end: other times are not concerned
    }
    auto end = [&](cache::Writer& db) { end_retry(db, *span, why, tools.clock.now()); };
    co_await tools.store.write(end);
}

} // namespace alli::sync
