// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/scan.hpp"
#include "sync/pages/unreadable_ranges.hpp"
#include "sync/tasks/range_verifier.hpp"
#include "sync/tasks/tasks.hpp"

#include <unordered_set>

namespace alli::sync {
namespace {

using cache::Progress;

constexpr int most_pages = 10; // that one commit takes of what is new: with their chats, some megabytes
constexpr int most_held = 20;  // in memory: of one time, below which no scan can go on, or of the overlap

// One poll: where it asks from, and what it means when it is through.
class Poll {
  public:
    Poll(SyncContext context, const Progress& before)
        : context_(context), boundary_(*before.boundary), verified_at_(before.verified_at),
          from_(boundary_ - context.overlap), begun_at_(context.clock.steady())
    {}

    Instant from() const { return from_; }

    // Upstream's clock was set back further than the overlap makes good: what is new bears times from before the
    // boundary. Asks again from where the last poll stood on the new clock. True: scan once more.
    bool begins_anew(const Page& page)
    {
        if (started_) return false;
        started_ = page.asked_at - date_grain;
        sent_at_ = page.sent_at;
        set_back_ = *started_ < boundary_ - context_.overlap / 2;
        if (!set_back_) return false;
        const Instant now = context_.clock.now();
        const auto known = verified_at_ && *verified_at_ <= now;
        const auto since_last = known ? now - *verified_at_ : std::chrono::microseconds(std::chrono::hours(24));
        const Instant lower = *started_ - since_last - context_.overlap;
        if (lower >= from_) return false;
        from_ = lower;
        return true;
    }

    // Adds a page to what is committed; true when that is due.
    bool gather(Page page)
    {
        unreadable_.insert(unreadable_.end(), page.unreadable.begin(), page.unreadable.end());
        for (const Conversation& conversation : page.conversations) seen_.insert(conversation.id);
        if (!split_points_) split_points_.emplace(cache::Span{from_, *started_});
        const bool may_end = split_points_->is_at(page);
        const bool enough = ++pages_ >= most_pages && may_end && *page.reached >= boundary_;
        if (!page.last && enough) lower_ = *page.reached + std::chrono::microseconds(1);
        const bool due = page.last || enough;
        unit_ = page.unit;
        reached_ = page.reached;
        if (!gathered_) {
            gathered_ = std::move(page);
        } else {
            for (Conversation& conversation : page.conversations)
                gathered_->conversations.push_back(std::move(conversation));
            gathered_->clocks = page.clocks;
        }
        return due;
    }
    Page take_gathered() { return std::move(*std::exchange(gathered_, std::nullopt)); }
    /// More than memory should hold: committed before the poll is through.
    bool is_too_much() const { return pages_ > 0 && pages_ % most_held == 0; }
    bool leaves_gap() const { return lower_ > from_; }

    bool passed_by() const { return !unreadable_.empty(); }

    // Held with a time that was asked about, yet not listed: deleted, or moved back; not put meanwhile by others.
    std::vector<ConversationId> absent() const
    {
        if (passed_by()) return {};
        const cache::Span asked{std::max(from_, lower_), Instant::max()};
        auto held = context_.store.read([&](cache::Reader& db) { return cache::ids_within(db, asked); });
        std::erase_if(held, [&](const ConversationId& id) {
            return seen_.contains(id) || context_.recent_puts.was_put(id, begun_at_);
        });
        return held;
    }

    // In the commit of what was gathered: lists are decided down to its lower end.
    void save(cache::Writer& db)
    {
        const Instant now = context_.clock.now(), lower = std::max(from_, lower_);
        note_unreadable(db, unreadable_, *started_, now);
        Progress progress = cache::load_progress(db);
        // A little slower an answer is no reason to doubt what was certain.
        progress.boundary = set_back_ ? *started_ : std::max(*started_, boundary_);
        progress.unit = unit_;
        // Anything may have moved to where nobody could look: then nothing is verified.
        if (!passed_by()) progress.verified_at = sent_at_;
        cache::save_progress(db, progress);
        if (set_back_) cache::uncover(db, {*started_, Instant::max()});
        if (!passed_by()) take_unreadable(db, {lower, *started_}); // all of it was listed now
        cache::cover(db, {lower, *started_, sent_at_}, context_.together);
        cache::uncover(db, {from_, lower_});
    }

    // The boundary stays. In the overlap what is below is as complete as before; above it, nothing can be claimed.
    void save_part(cache::Writer& db) const
    {
        if (!reached_ || *reached_ >= boundary_)
            cache::uncover(db, {from_, boundary_});
        else if (!passed_by())
            cache::cover(db, {*reached_ + std::chrono::microseconds(1), *started_, sent_at_}, context_.together);
    }

  private:
    SyncContext context_;
    Instant boundary_;
    std::optional<Instant> verified_at_;
    Instant from_, sent_at_;
    Instant lower_ = Instant::min(); // where a poll of too many pages ends
    Clock::Steady begun_at_;
    std::optional<Instant> started_;
    std::optional<SplitPoints> split_points_;
    std::optional<Page> gathered_;
    std::optional<Instant> reached_; // by the last page
    TimeUnit unit_ = TimeUnit::unknown;
    int pages_ = 0;
    bool set_back_ = false;
    std::vector<Unreadable> unreadable_; // passed by so far
    std::unordered_set<ConversationId> seen_;
};

} // namespace

Task<Increase> increment(SyncContext context, Deletions deletions)
{
    const Progress before = context.store.read([](cache::Reader& db) { return cache::load_progress(db); });
    if (!before.boundary) co_return Increase{}; // nothing to go on from: the backfill sets it with its first page
    Poll poll(context, before);
    std::int64_t news = 0;
    IngestOptions options;
    options.priority = upstream::Priority::increment;
    for (bool anew = true; anew;) {
        anew = false;
        Paginator paginator(context.client, poll.from(), std::nullopt, options.priority);
        Scan scan(context, paginator, options);
        for (bool due = false; !due && !anew;) {
            auto next = co_await scan.next();
            anew = poll.begins_anew(*next);
            if (anew) break;
            due = poll.gather(std::move(*next));
            if (!due && !poll.is_too_much()) continue;
            Page page = poll.take_gathered();
            const InCommit save = [&](cache::Writer& db) { due ? poll.save(db) : poll.save_part(db); };
            const Ingested done = co_await scan.commit(page, save, due);
            news += done.conversations;
        }
    }
    auto absent = poll.absent();
    co_await confirm_absent(context, std::move(absent), deletions, options.priority);
    Increase increase;
    increase.news = news > 0;
    increase.whole = !poll.passed_by();
    increase.left_gap = poll.leaves_gap();
    co_return increase;
}

} // namespace alli::sync
