// SPDX-License-Identifier: Apache-2.0
// The change feed of one loop, where its readers wait. A commit costs the loop one look at the last number; the readers
// that it wakes share one read of the new changes and one rendering. Lives on the loop, but for committed().
#pragma once

#include "alli/task.hpp"
#include "cache/rows/change_feed.hpp"
#include "cache/search/search_query.hpp"
#include "cache/store.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace alli::proxy {

class Meters;

/// Whose changes a reader is told.
struct FeedScope {
    cache::Visibility seen;
    std::optional<cache::SearchQuery> query; // of conversations in which it finds something now; none: of all
    bool tells_unknown = true;               // filters of the query that find nobody: looked for with each page

    bool is_whole() const noexcept { return seen.is_whole() && !query; }
    /// For what a query says of "yesterday".
    const FeedScope& at(Instant now)
    {
        if (query) query->now = now;
        return *this;
    }
};

/// What follows a number.
struct FeedPage {
    std::int64_t since = 0, next = 0; // `next`: read through here
    std::int64_t looked_through = 0;  // what the file had when it was read: there is nothing else up to here
    bool lost = false;                // nobody can go on from `since`: start again
    bool more = false;                // of a query: the rest was not looked through yet, though the page is not full
    std::vector<cache::Change> changes;
    std::vector<cache::UnknownFilter> unknown_filters; // of a query
    std::shared_ptr<const std::string> json, events;   // the same, as the two kinds of readers get it
};

class Feed {
  public:
    using Steady = std::chrono::steady_clock::time_point;

    Feed(asio::any_io_executor loop, cache::Store& store, Meters& meters);

    /// At most `limit` changes. Throws what the store throws.
    std::shared_ptr<const FeedPage> page(std::int64_t since, int limit);
    /// The number of the latest change.
    std::int64_t last() const;

    /// For readers who may not or will not see all: as page() and last(), but of the conversations in the scope alone;
    /// the numbers of changes out of view are not in it. Nothing up to `looked_through` is looked for again.
    Task<std::shared_ptr<const FeedPage>> page(const FeedScope& scope, std::int64_t since, std::int64_t looked_through,
                                               int limit);
    Task<std::int64_t> last(const cache::Visibility& seen) const;

    /// Until there is something after `since`, the time has come, or no more waiting is allowed.
    Task<> wait(std::int64_t since, Steady until);

    /// Any thread: something was committed.
    void committed();
    /// Any thread: whoever waits asks again whether it may.
    void look_again();
    /// The program is about to end: nobody waits any longer.
    void wind_up();
    bool is_over() const noexcept { return over_; }
    std::size_t readers() const noexcept { return waiting_->size(); } // that wait

  private:
    bool is_kept(std::int64_t since, int limit) const;
    using Waiting = std::list<asio::steady_timer*>;

    void look();
    void wake();

    asio::any_io_executor loop_;
    cache::Store& store_;
    Meters& meters_;
    asio::steady_timer pause_; // between two looks
    Steady last_look_{};
    std::atomic<bool> told_{false}; // a look is on its way
    std::int64_t seen_ = 0;
    std::shared_ptr<Waiting> waiting_ = std::make_shared<Waiting>(); // a reader may be given up after the feed
    bool over_ = false;
    std::shared_ptr<const FeedPage> page_; // the one read last
    std::uint64_t page_commits_ = 0;       // before it was read
    int page_limit_ = 0;
};

} // namespace alli::proxy
