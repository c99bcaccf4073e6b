// SPDX-License-Identifier: Apache-2.0
#include "sync/pages/scan.hpp"

#include "cache/rows/problems.hpp"
#include "sync/loop/parallel.hpp"
#include "sync/pages/failure_scope.hpp"
#include "sync/pages/retry.hpp"

#include <algorithm>

namespace alli::sync {
namespace {

Task<Page> request(SyncContext context, Paginator& paginator)
{
    const Fence fence = context.fences.take();
    const Instant sent_at = context.clock.now();
    std::function<Task<Page>()> ask = [&] { return paginator.next(sent_at); };
    std::function<Task<Page>()> ask_on = [&] { return with_retries(context.clock, context.random, ask); };
    Page page = co_await with_patience(context.clock, ask_on);
    page.fence = fence;
    co_return page;
}

// Throws where the failure concerns all, or where nothing below is readable.
Task<> pass_by(SyncContext context, Paginator& paginator, Error failure, bool stuck)
{
    if (failure.fault() != Fault::bad_reply) throw Error(failure);
    // A portal, a proxy or a network that cuts everything short: what they hide is not unreadable.
    if (!co_await answers_lists(context, paginator.priority())) throw concern_all(context, failure);
    const Instant now = context.clock.now();
    const bool below = stuck ? paginator.pass_by_stuck(failure.what(), now) : paginator.pass_by(failure.what(), now);
    if (!below) throw Error(failure);
}

Task<Page> next_readable(SyncContext context, Paginator& paginator)
{
    for (;;) {
        std::optional<Error> failure;
        bool stuck = false;
        try {
            co_return co_await request(context, paginator);
        } catch (const NoAdvance& error) {
            failure = error;
            stuck = true;
        } catch (const Error& error) {
            failure = error;
        }
        co_await pass_by(context, paginator, *failure, stuck);
    }
}

bool shows_time(const Page& page)
{
    return std::any_of(page.conversations.begin(), page.conversations.end(),
                       [](const Conversation& it) { return it.last_chat_at && !it.last_chat_guessed; });
}

// Times that are no numbers tell no unit, and without one no window can be asked for.
void note_unit(cache::Writer& db, TimeUnit unit, bool any_time, Instant now)
{
    constexpr std::string_view key = "time unit";
    if (unit != TimeUnit::unknown) {
        cache::clear_problem(db, key);
        return;
    }
    if (!any_time) return;
    cache::Problem problem;
    problem.what = "upstream's times are texts and tell no unit: no window of time can be asked for, and every "
                   "comparison reads the list from its beginning";
    problem.hint = "set upstream.time_unit to ms or s, whichever startedAt and endAt take there";
    problem.since = now;
    cache::put_problem(db, key, problem);
}

} // namespace

Task<std::optional<Page>> Scan::next()
{
    if (ahead_) co_return std::exchange(ahead_, std::nullopt);
    if (std::exchange(begun_, true)) co_await context_.follower->pause();
    if (over_) co_return std::nullopt;
    co_return co_await next_readable(context_, paginator_);
}

Task<> Scan::request_ahead()
{
    ahead_ = co_await next_readable(context_, paginator_);
}

Task<> Scan::put(Page& page, const InCommit& in_commit, Ingested* done)
{
    const bool any_time = shows_time(page);
    InCommit with_clocks = [&, any_time](cache::Writer& db) {
        context_.clocks.note(db, page.clocks, context_.clock);
        note_unit(db, page.unit, any_time, context_.clock.now());
        in_commit(db);
    };
    std::vector<Conversation> listed = std::move(page.conversations);
    *done = co_await ingest(context_, std::move(listed), page.fence, options_, std::move(with_clocks));
}

Task<Ingested> Scan::commit(Page& page, const InCommit& in_commit, bool enough)
{
    over_ = page.last || enough;
    Ingested done;
    std::function<Task<>(std::size_t)> both = [&](std::size_t i) {
        return i == 0 ? put(page, in_commit, &done) : request_ahead();
    };
    const bool ahead = !over_ && !context_.follower->wants_pause();
    co_await in_parallel(ahead ? 2 : 1, 2, both);
    co_return done;
}

} // namespace alli::sync
