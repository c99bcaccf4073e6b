// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/scan.hpp"
#include "sync/pages/unreadable_ranges.hpp"
#include "sync/tasks/tasks.hpp"

#include <unordered_set>

namespace alli::sync {
namespace {

using cache::Progress;

// One poll: where it asks from, and what it means when it is through.
class Poll {
  public:
    Poll(SyncContext context, const Progress& before)
        : context_(context), boundary_(*before.boundary), verified_at_(before.verified_at),
          from_(boundary_ - context.overlap)
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

    void look_at(const Page& page)
    {
        unreadable_.insert(unreadable_.end(), page.unreadable.begin(), page.unreadable.end());
        for (const Conversation& conversation : page.conversations) seen_.insert(conversation.id);
    }

    bool passed_by() const { return !unreadable_.empty(); }

    // Held with a time that was asked about, yet not listed: deleted, or moved back.
    std::vector<ConversationId> absent() const
    {
        if (passed_by()) return {};
        const cache::Span asked{from_, Instant::max()};
        auto held = context_.store.read([&](cache::Reader& db) { return cache::ids_within(db, asked); });
        std::erase_if(held, [&](const ConversationId& id) { return seen_.contains(id); });
        return held;
    }

    void save(cache::Writer& db, const Page& page)
    {
        const Instant now = context_.clock.now();
        // With the last page once more all of it: whoever tried it meanwhile read it without verifying this poll.
        note_unreadable(db, page.last ? unreadable_ : page.unreadable, *started_, now);
        if (!page.last) return;
        Progress progress = cache::load_progress(db);
        // A little slower an answer is no reason to doubt what was certain.
        progress.boundary = set_back_ ? *started_ : std::max(*started_, boundary_);
        progress.unit = page.unit;
        // Anything may have moved to where nobody could look: then nothing is verified.
        if (!passed_by()) progress.verified_at = sent_at_;
        cache::save_progress(db, progress);
        if (set_back_) cache::uncover(db, {*started_, Instant::max()});
        if (!passed_by()) take_unreadable(db, {from_, *started_}); // all of it was listed now
        cache::cover(db, {from_, *started_, sent_at_}, context_.together);
    }

  private:
    SyncContext context_;
    Instant boundary_;
    std::optional<Instant> verified_at_;
    Instant from_, sent_at_;
    std::optional<Instant> started_;
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
        while (auto page = co_await scan.next()) {
            anew = poll.begins_anew(*page);
            if (anew) break;
            poll.look_at(*page);
            const InCommit save = [&](cache::Writer& db) { poll.save(db, *page); };
            const Ingested done = co_await scan.commit(*page, save);
            news += done.conversations;
        }
    }
    auto absent = poll.absent();
    co_await confirm_absent(context, std::move(absent), deletions);
    Increase increase;
    increase.news = news > 0;
    increase.whole = !poll.passed_by();
    co_return increase;
}

} // namespace alli::sync
