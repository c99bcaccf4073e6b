// SPDX-License-Identifier: Apache-2.0
#include "sync/descent.hpp"

#include "sync/mutant.hpp"
#include "sync/parallel.hpp"
#include "sync/retry.hpp"

namespace alli::sync {
namespace {

Task<> fetch_into(Tools tools, Walk& walk, std::optional<Step>* next)
{
    *next = co_await next_readable(tools, walk);
}

Task<> commit(Tools tools, Step step, How how, Save save, Duties duties)
{
    auto also = [&](cache::Writer& db) {
        tools.clocks.note(db, step.clocks, tools.clock);
        save(db, step);
    };
    std::function<void(cache::Writer&)> also_it = also;
    if (duties.compare) co_await duties.compare(step);
    std::vector<Conversation> listed = std::move(step.conversations);
    const Ingested done = co_await ingest(tools, std::move(listed), step.asked, how, also_it);
    if (duties.report) duties.report(done);
}

} // namespace

Task<Step> next_readable(Tools tools, Walk& walk)
{
    for (;;) {
        std::optional<Error> failure;
        bool stuck = false;
        const Asked asked = tools.order.ask();
        try {
            const Instant sent_at = tools.clock.now();
            std::function<Task<Step>()> ask = [&] { return walk.next(sent_at); };
            std::function<Task<Step>()> ask_on = [&] { return with_retries(tools.clock, tools.random, ask); };
            Step step = co_await with_patience(tools.clock, ask_on);
            step.asked = asked;
            co_return step;
        } catch (const NoAdvance& error) {
            failure = error;
            stuck = true;
        } catch (const Error& error) {
            failure = error;
        }
        if (is_planted(Mutant::error_swallowed)) {
            Step nothing;
            nothing.asked_at = nothing.sent_at = tools.clock.now();
            nothing.last = true;
            nothing.asked = asked;
            co_return nothing;
        }
        if (failure->fault() != Fault::bad_reply) throw Error(*failure);
        // A portal, a proxy or a network that cuts everything short: what they hide is not unreadable.
        if (!co_await answers_lists(tools, walk.priority())) throw concern_all(tools, *failure);
        const Instant now = tools.clock.now();
        const bool below = stuck ? walk.pass_by_stuck(failure->what(), now) : walk.pass_by(failure->what(), now);
        if (!below) throw Error(*failure);
    }
}

Task<> go_down(Tools tools, Walk& walk, How how, Save save, Duties duties)
{
    Step first = co_await next_readable(tools, walk);
    co_await go_down_from(tools, walk, std::move(first), how, save, duties);
}

Task<> go_down_from(Tools tools, Walk& walk, Step first, How how, Save save, Duties duties)
{
    std::optional<Step> next = std::move(first);
    while (next) {
        Step step = std::move(*next);
        next.reset();
        const bool enough = duties.enough && duties.enough(step);
        const bool last = step.last || enough;
        const bool ahead = !last && !duties.due();
        std::function<Task<>(std::size_t)> both = [&](std::size_t i) {
            return i == 0 ? commit(tools, std::move(step), how, save, duties) : fetch_into(tools, walk, &next);
        };
        co_await in_parallel(ahead ? 2 : 1, 2, both);
        if (next) continue;
        if (duties.between) co_await duties.between();
        if (!last) next = co_await next_readable(tools, walk);
    }
}

} // namespace alli::sync
