// SPDX-License-Identifier: Apache-2.0
// A keyset paginator down a window of last chat time, newest first. Each page is requested as the first page below the
// one before, not by upstream's cursor: with a cursor that is a position, a conversation that leaves the
// window while it is paged makes the next page skip one. The cursor serves only where time does not get further: empty
// pages, and more conversations of one time than a page holds; such a chain of pages is scanned until two scans of it
// saw the same. Windows overlap by a unit of time, so that either reading of a bound loses nothing; what stands at the
// edge must come again, or the page is not believed. What cannot be read is narrowed down and passed by, and said so.
#pragma once

#include "cache/rows/coverage.hpp"
#include "sync/pages/cursors.hpp"
#include "sync/pages/request_fences.hpp"
#include "upstream/client.hpp"

#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace alli::sync {

/// Last chat times that were passed by, and why.
struct Unreadable {
    cache::Span span;
    std::string why;
};

struct Page {
    std::vector<Conversation> conversations; // those not met on this scan before
    Fence fence;
    std::optional<Instant>
        reached;      // complete above this last chat time (it alone may still lack some); none: nothing seen yet
    Instant asked_at; // by the earlier of upstream's clock and ours
    Instant sent_at;  // in ours, before the first try of the earliest page that showed what is complete now
    upstream::ClockReadings clocks;     // when it came
    TimeUnit unit = TimeUnit::unknown;  // of upstream's times, as far as it is known by now
    bool last = false;                  // the window is scanned whole
    std::vector<Unreadable> unreadable; // passed by just above this page
};

class Paginator {
  public:
    /// From `bound` (none: the newest) down to `from` (none: the oldest).
    Paginator(upstream::Client& client, std::optional<Instant> from, std::optional<Instant> bound,
              upstream::Priority priority);
    /// Down a span of the coverage; its ends may be the beginning of time and Instant::max().
    Paginator(upstream::Client& client, cache::Span span, upstream::Priority priority);

    /// Asks for one page; `now`: in our clock, before the first try. Throws what the client throws, and
    /// Error{bad_reply} for a cursor that does not advance; after a failure it may be called again. Not after `last`.
    Task<Page> next(Instant now);

    upstream::Priority priority() const noexcept { return priority_; }

    /// After a page that cannot be read, again and again: asks for less, then for what is left of one, then goes past
    /// it. `now` stands for the newest where nothing was seen yet. False when nothing is readable below, not even below
    /// the scan's end.
    bool pass_by(const std::string& why, Instant now);

    /// The same of a page whose cursor does not advance: asking for less would not help.
    bool pass_by_stuck(const std::string& why, Instant now)
    {
        page_size_ = 1;
        return pass_by(why, now);
    }

  private:
    std::chrono::microseconds grain() const;
    std::optional<Instant> oldest_of(const std::vector<Conversation>& page) const;
    std::vector<Conversation> unmet(std::vector<Conversation>& page, Instant now);
    Instant earliest_sight(Instant now, bool last) const;
    bool descend(const std::optional<std::string>& cursor, std::optional<Instant> oldest);
    bool drop_older(std::vector<Conversation>& page) const;
    bool is_settled();
    bool is_spoilt_here() const;
    void look_at_mended(const upstream::Listed& listed);
    void leave_chain();
    void follow(const std::optional<std::string>& cursor);
    void forget_above(Instant bound);
    void note_passed(cache::Span span, const std::string& why);
    bool leap_over_chatless(const upstream::Listed& listed);
    Task<> doubt_last(const upstream::Listed& listed);
    Task<bool> is_listed_at(ConversationId id, Instant at);
    void note_edge(const std::vector<Conversation>& page, Instant oldest);
    bool lacks_edge(const upstream::Listed& listed) const;
    Task<bool> is_edge_there();

    upstream::Client& client_;
    std::optional<Instant> from_, bound_;
    upstream::Priority priority_;
    std::optional<std::string> cursor_;
    std::optional<Instant> reached_;
    std::optional<Instant> edge_; // of the page before: what stands there comes again with the next one
    std::unordered_set<ConversationId> edge_ids_;
    bool refuted_ = false;                         // a page lacked it; until one shows something again, none is the end
    std::unordered_set<ConversationId> misplaced_; // upstream does not list them at the time that they show
    Cursors cursors_;                              // since the scan got lower last
    bool chained_ = false;                         // following the cursor
    std::unordered_set<ConversationId> chain_;     // what it showed so far, in whatever order
    std::optional<std::unordered_set<ConversationId>> chain_before_; // and the time before
    int page_size_;
    bool mending_ = false;             // the next page, of one, may be broken: what is left of it will do
    std::optional<Instant> spoilt_;    // the time of such a one: until the scan is below it, it comes again
    std::chrono::microseconds stride_; // how far the next leap goes
    Instant lowest_ = Instant::min();  // below it there is coverage already: not scanned
    int looks_below_ = 0;              // the end, past what cannot be read
    std::vector<Unreadable> passed_by_;
    std::unordered_set<ConversationId> met_; // those that the next page may bring again
    struct Met {
        Instant last_chat_at, seen_at;
        ConversationId id;
    };
    std::vector<Met> met_at_;
};

} // namespace alli::sync
