// SPDX-License-Identifier: Apache-2.0
#include "sync/engine.hpp"

#include "alli/back_off.hpp"
#include "sync/loop/parallel.hpp"
#include "sync/loop/wakeup.hpp"
#include "sync/plan.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

namespace alli::sync {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds shortest_pause{1'000};
constexpr std::size_t settlers = 4;
// A rejected key, or a dead upstream, is tried at least every 15 seconds.
constexpr BackOff penalties{std::chrono::seconds(1), std::chrono::seconds(15)};

// What one of the loops waits for, beside time.
struct Calls {
    explicit Calls(const asio::any_io_executor& loop) : more(loop), again(loop) {}
    Wakeup more;  // there is something to do
    Wakeup again; // after a failure: it may go better now
};

} // namespace

// Notified on the loop; other threads post there.
struct Engine::Wakeups {
    explicit Wakeups(asio::any_io_executor its_loop)
        : loop(std::move(its_loop)), polls(loop), refresh_queue(loop), work(loop)
    {}
    void retry_now()
    {
        for (Calls* calls : {&polls, &refresh_queue, &work}) calls->again.notify();
    }

    asio::any_io_executor loop;
    Calls polls, refresh_queue, work;
    Wakeup settling{loop};
};

struct Engine::Core {
    Core(upstream::Client& client, cache::Store& store, Clock& its_clock, Random& its_random, Options its_options)
        : clock(its_clock), random(its_random), interval(its_options.interval),
          plan(client, store, its_clock, its_random, its_options)
    {}

    Task<> poll_forever()
    {
        for (int failures = 0;;) {
            wakeups->polls.more.reset(); // this poll answers all notifications until now
            std::function<Task<>()> work = [this] { return plan.poll(); };
            tried_at = clock.steady();
            polling = true;
            plan.polls_fail = co_await fails(work);
            polling = false;
            if (plan.polls_fail) {
                away = true;
                co_await wait_for_next_try(failures++);
                continue;
            }
            failures = 0;
            if (std::exchange(away, false)) come_back();
            wakeups->polls.again.reset();
            const nanoseconds pause = plan.next_poll() - clock.steady();
            co_await wakeups->polls.more.wait(clock, std::max<nanoseconds>(pause, milliseconds(1)));
        }
    }

    Task<> go_on_forever(Calls& calls, std::function<Task<>()> work)
    {
        for (int failures = 0;;) {
            if (co_await fails(work)) {
                co_await calls.again.wait(clock, penalty(failures++));
                continue;
            }
            failures = 0;
            calls.again.reset();
            co_await calls.more.wait(clock, interval);
        }
    }

    // With an open breaker the poll is the probe: it goes as soon as the probe is due.
    Task<> wait_for_next_try(int failures)
    {
        const auto budget = plan.client().pace();
        const bool tripped = budget.breaker == upstream::Breaker::State::open;
        const milliseconds pause = tripped ? std::max(budget.probe_in, milliseconds(1)) : penalty(failures);
        plan.sync_status().current.next_try_at = clock.steady() + pause;
        plan.sync_status().publish();
        co_await wakeups->polls.again.wait(clock, pause);
        const nanoseconds early = tried_at + shortest_pause - clock.steady();
        if (early > nanoseconds(0)) co_await clock.sleep(early);
    }

    void come_back()
    {
        plan.come_back();
        retry_all();
    }

    void retry_all()
    {
        wakeups->retry_now();
        wakeups->work.more.notify();
        if (tell_back) tell_back();
    }

    // Any sign that upstream may answer again is a reason to poll, but not a dozen times a second, and not while a poll
    // is under way.
    void try_soon()
    {
        plan.client().hasten();
        if (!wakeups || polling) return;
        wakeups->polls.again.notify();
        wakeups->polls.more.notify(); // the loop may still wait for the next regular poll
    }

    void heard(const upstream::Outcome& outcome)
    {
        const bool well = outcome.kind == upstream::Outcome::Kind::answered && !outcome.foreign;
        const bool reachable = plan.sync_status().current.reachable;
        if (outcome.unconnected && reachable) {
            plan.sync_status().cut_off(outcome.words, clock.now());
            plan.polls_fail = away = true; // until one shows that it is well
            try_soon();
        } else if (well && !reachable) {
            plan.sync_status().answered();
            if (plan.polls_fail) try_soon();
        }
    }

    void network_changed(bool lost)
    {
        if (plan.polls_fail || lost) try_soon(); // what was lost may have been the way upstream
    }

    // One of several loops, so that a slow answer delays no other conversation.
    Task<> settle_forever()
    {
        for (;;) {
            auto id = plan.ended_runs().take_due();
            if (id) {
                wakeups->settling.notify(); // there may be more than this one
                co_await plan.ended_runs().fetch(std::move(*id));
                continue;
            }
            const auto due = plan.ended_runs().next_due();
            const nanoseconds pause = due ? *due - clock.steady() : nanoseconds(interval);
            co_await wakeups->settling.wait(clock, std::max<nanoseconds>(pause, milliseconds(1)));
        }
    }

    milliseconds penalty(int failures) { return penalties.draw(random, failures); }

    // Whether it failed for a reason that passes.
    Task<bool> fails(std::function<Task<>()> work)
    {
        std::optional<Error> failure;
        try {
            co_await work();
        } catch (const Error& error) {
            failure = error;
        }
        if (!failure) co_return false;
        if (failure->fault() == Fault::damaged || failure->fault() == Fault::io)
            throw Error(*failure); // not to be retried: docs/decisions/0004
        plan.sync_status().failed(*failure, clock.now());
        co_return true;
    }

    // The wakeups belong to the loop, which may go before the engine does: they end with run().
    struct WakeupsPublished {
        explicit WakeupsPublished(Core& its_core) : core(its_core)
        {
            std::atomic_store(&core.shared_wakeups, core.wakeups);
        }
        WakeupsPublished(const WakeupsPublished&) = delete;
        WakeupsPublished& operator=(const WakeupsPublished&) = delete;
        ~WakeupsPublished()
        {
            std::atomic_store(&core.shared_wakeups, std::shared_ptr<Wakeups>());
            core.wakeups.reset();
        }
        Core& core;
    };

    Task<> run()
    {
        using namespace asio::experimental::awaitable_operators;
        wakeups = std::make_shared<Wakeups>(co_await asio::this_coro::executor);
        const WakeupsPublished up(*this);
        plan.wants_poll = [this] { wakeups->polls.more.notify(); };
        plan.wants_work = [this] { wakeups->work.more.notify(); };
        std::function<Task<>()> refresh_queue = [this] { return plan.run_refresh_queue(); };
        std::function<Task<>()> work = [this] { return plan.work_down(); };
        std::function<Task<>(std::size_t)> settle = [this](std::size_t) { return settle_forever(); };
        co_await (poll_forever() && go_on_forever(wakeups->refresh_queue, refresh_queue) &&
                  go_on_forever(wakeups->work, work) && in_parallel(settlers, static_cast<int>(settlers), settle));
    }

    Clock& clock;
    Random& random;
    milliseconds interval;
    Plan plan;
    bool polling = false;
    bool away = false;               // somebody's request could not reach it, and no poll since could
    Clock::Steady tried_at{};        // the last poll
    std::function<void()> tell_back; // may be none
    std::shared_ptr<Wakeups> wakeups;
    std::shared_ptr<Wakeups> shared_wakeups; // the same, for other threads
};

Engine::Engine(upstream::Client& client, cache::Store& store, Clock& clock, Random& random, Options options)
    : core_(std::make_shared<Core>(client, store, clock, random, options))
{}

Engine::~Engine() = default;

Task<> Engine::run()
{
    return core_->run();
}

Task<> Engine::run_once(std::function<void(const State&)> report)
{
    try {
        co_await core_->plan.pass_once(std::move(report));
    } catch (const Error& error) {
        core_->plan.sync_status().failed(error, core_->clock.now());
        throw;
    }
}

Task<> Engine::fetch(std::vector<ConversationId> ids)
{
    const auto core = core_;
    std::function<Task<>(std::size_t)> fetch_one = [&](std::size_t at) { return core->plan.fetch(ids[at]); };
    co_await in_parallel(ids.size(), static_cast<int>(settlers), fetch_one);
}

Task<> Engine::fetch_news()
{
    constexpr milliseconds look_again{20}, patience{5'000};
    const auto core = core_;
    const auto asked_at = core->clock.steady();
    wake();
    while (core->plan.sync_status().current.compared_at <= asked_at) {
        if (core->plan.polls_fail || core->clock.steady() - asked_at > patience)
            throw Error(Fault::unavailable, "it is tried again", "no poll succeeds");
        co_await core->clock.sleep(look_again);
    }
}

std::shared_ptr<const State> Engine::state() const
{
    return core_->plan.sync_status().read();
}

// Where it does not run, the first pass is still to come.
void Engine::on_loop(std::function<void(Core&, Wakeups&)> action)
{
    const auto wakeups = std::atomic_load(&core_->shared_wakeups);
    if (!wakeups) return;
    asio::post(wakeups->loop, [core = core_, wakeups, action = std::move(action)] { action(*core, *wakeups); });
}

void Engine::wake()
{
    on_loop([](Core& core, Wakeups& wakeups) {
        core.plan.hasten_poll();
        wakeups.polls.more.notify();
    });
}

void Engine::try_again()
{
    on_loop([](Core& core, Wakeups& wakeups) {
        core.come_back();
        wakeups.polls.more.notify();
    });
}

void Engine::insist()
{
    on_loop([](Core& core, Wakeups& wakeups) {
        core.plan.insist();
        core.retry_all();
        wakeups.polls.more.notify();
    });
}

void Engine::wake_conversation(ConversationId id)
{
    on_loop([id = std::move(id)](Core& core, Wakeups& wakeups) {
        core.plan.ask_for(id);
        wakeups.refresh_queue.more.notify();
    });
}

void Engine::heard(const upstream::Outcome& outcome)
{
    core_->heard(outcome);
}

void Engine::network_changed(bool lost)
{
    on_loop([lost](Core& core, Wakeups&) { core.network_changed(lost); });
}

void Engine::when_back(std::function<void()> tell)
{
    core_->tell_back = std::move(tell);
}

void Engine::on_fetched(std::function<void(const ConversationId&, std::uint64_t, bool)> fetched)
{
    core_->plan.ended_runs().on_fetched(std::move(fetched));
}

void Engine::settle(ConversationId id, std::uint64_t fence, std::optional<std::int64_t> chats_before)
{
    on_loop([id = std::move(id), fence, chats_before](Core& core, Wakeups& wakeups) {
        core.plan.ended_runs().ask_for(id, fence, chats_before);
        wakeups.settling.notify();
    });
}

void Engine::refresh_categories()
{
    on_loop([](Core& core, Wakeups& wakeups) {
        if (core.plan.ask_for_categories()) wakeups.polls.more.notify();
    });
}

void Engine::accept_deletions()
{
    on_loop([](Core& core, Wakeups& wakeups) {
        core.plan.accept_deletions();
        wakeups.work.more.notify();
    });
}

} // namespace alli::sync
