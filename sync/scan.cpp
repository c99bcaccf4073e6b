// SPDX-License-Identifier: Apache-2.0
#include "sync/scan.hpp"

#include "sync/mutant.hpp"
#include "sync/parallel.hpp"
#include "sync/retry.hpp"

namespace alli::sync {
namespace {

Task<> fetch_into(SyncContext context, Paginator& paginator, std::optional<Page>* next)
{
    *next = co_await next_readable(context, paginator);
}

Task<> commit(SyncContext context, Page page, IngestOptions ingest_options, Save save, ScanHooks hooks)
{
    auto also = [&](cache::Writer& db) {
        context.clocks.note(db, page.clocks, context.clock);
        save(db, page);
    };
    std::function<void(cache::Writer&)> also_it = also;
    if (hooks.compare) co_await hooks.compare(page);
    std::vector<Conversation> listed = std::move(page.conversations);
    const Ingested done = co_await ingest(context, std::move(listed), page.asked, ingest_options, also_it);
    if (hooks.report) hooks.report(done);
}

} // namespace

Task<Page> next_readable(SyncContext context, Paginator& paginator)
{
    for (;;) {
        std::optional<Error> failure;
        bool stuck = false;
        const Asked asked = context.order.ask();
        try {
            const Instant sent_at = context.clock.now();
            std::function<Task<Page>()> ask = [&] { return paginator.next(sent_at); };
            std::function<Task<Page>()> ask_on = [&] { return with_retries(context.clock, context.random, ask); };
            Page page = co_await with_patience(context.clock, ask_on);
            page.asked = asked;
            co_return page;
        } catch (const NoAdvance& error) {
            failure = error;
            stuck = true;
        } catch (const Error& error) {
            failure = error;
        }
        if (is_planted(Mutant::error_swallowed)) {
            Page nothing;
            nothing.asked_at = nothing.sent_at = context.clock.now();
            nothing.last = true;
            nothing.asked = asked;
            co_return nothing;
        }
        if (failure->fault() != Fault::bad_reply) throw Error(*failure);
        // A portal, a proxy or a network that cuts everything short: what they hide is not unreadable.
        if (!co_await answers_lists(context, paginator.priority())) throw concern_all(context, *failure);
        const Instant now = context.clock.now();
        const bool below =
            stuck ? paginator.pass_by_stuck(failure->what(), now) : paginator.pass_by(failure->what(), now);
        if (!below) throw Error(*failure);
    }
}

Task<> run_scan(SyncContext context, Paginator& paginator, IngestOptions ingest_options, Save save, ScanHooks hooks)
{
    Page first = co_await next_readable(context, paginator);
    co_await run_scan_from(context, paginator, std::move(first), ingest_options, save, hooks);
}

Task<> run_scan_from(SyncContext context, Paginator& paginator, Page first, IngestOptions ingest_options, Save save,
                     ScanHooks hooks)
{
    std::optional<Page> next = std::move(first);
    while (next) {
        Page page = std::move(*next);
        next.reset();
        const bool enough = hooks.enough && hooks.enough(page);
        const bool last = page.last || enough;
        const bool ahead = !last && !hooks.due();
        std::function<Task<>(std::size_t)> both = [&](std::size_t i) {
            return i == 0 ? commit(context, std::move(page), ingest_options, save, hooks)
                          : fetch_into(context, paginator, &next);
        };
        co_await in_parallel(ahead ? 2 : 1, 2, both);
        if (next) continue;
        if (hooks.between) co_await hooks.between();
        if (!last) next = co_await next_readable(context, paginator);
    }
}

} // namespace alli::sync
