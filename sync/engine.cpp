// SPDX-License-Identifier: Apache-2.0
#include "sync/engine.hpp"

#include "sync/bell.hpp"
#include "sync/parallel.hpp"
#include "sync/plan.hpp"
#include "sync/retry.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

namespace alli::sync {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds first_pause{1'000};
constexpr milliseconds shortest_pause{1'000};
constexpr std::size_t settlers = 4;
constexpr milliseconds longest_pause{15'000}; // a rejected key, or a dead upstream, is tried at least so often

// What one of the loops waits for, beside time.
struct Calls {
    explicit Calls(const asio::any_io_executor& loop) : more(loop), again(loop) {}
    Bell more;  // there is something to do
    Bell again; // after a failure: it may go better now
};

} // namespace

// Rung on the loop: others post there.
struct Engine::Bells {
    explicit Bells(asio::any_io_executor its_loop) : loop(std::move(its_loop)), polls(loop), errands(loop), work(loop)
    {}
    void ring_again()
    {
        for (Calls* calls : {&polls, &errands, &work}) calls->again.ring();
    }

    asio::any_io_executor loop;
    Calls polls, errands, work;
    Bell settling{loop};
};

struct Engine::Core {
    Core(upstream::Client& client, cache::Store& store, Clock& its_clock, Random& its_random, Options its_options)
        : clock(its_clock), random(its_random), interval(its_options.interval),
          plan(client, store, its_clock, its_random, its_options)
    {}

    Task<> poll_forever()
    {
        for (int failures = 0;;) {
            bells->polls.more.hush(); // whoever rang until now is answered by this one
            std::function<Task<>()> work = [this] { return plan.poll(); };
            tried_at = clock.steady();
            polling = true;
            plan.polls_fail = co_await fails(work);
            polling = false;
            if (plan.polls_fail) {
                co_await wait_for_next_try(failures++);
                continue;
            }
            if (std::exchange(failures, 0) > 0) come_back();
            bells->polls.again.hush();
            const nanoseconds pause = plan.next_poll() - clock.steady();
            co_await bells->polls.more.wait(clock, std::max<nanoseconds>(pause, milliseconds(1)));
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
            calls.again.hush();
            co_await calls.more.wait(clock, interval);
        }
    }

    // With an open breaker the poll is the probe, when that is due: not some time after.
    Task<> wait_for_next_try(int failures)
    {
        const auto budget = plan.client().pace();
        const bool tripped = budget.breaker == upstream::Breaker::State::open;
        const milliseconds pause = tripped ? std::max(budget.probe_in, milliseconds(1)) : penalty(failures);
        plan.standing().current.next_try_at = clock.steady() + pause;
        plan.standing().publish();
        co_await bells->polls.again.wait(clock, pause);
        const nanoseconds early = tried_at + shortest_pause - clock.steady();
        if (early > nanoseconds(0)) co_await clock.sleep(early);
    }

    void come_back()
    {
        plan.come_back();
        bells->ring_again();
        bells->work.more.ring();
        if (tell_back) tell_back();
    }

    // What shows that it may go better now is a reason to poll, but not a dozen times a second; nor is what the poll
    // under way is answered.
    void try_soon()
    {
        plan.client().hasten();
        if (!bells || polling) return;
        bells->polls.again.ring();
        bells->polls.more.ring(); // it may still wait for the next one in its turn
    }

    void heard(const upstream::Outcome& outcome)
    {
        const bool well = outcome.kind == upstream::Outcome::Kind::answered && !outcome.foreign;
        const bool reachable = plan.standing().current.reachable;
        if (outcome.unconnected && reachable) {
            plan.standing().cut_off(outcome.words, clock.now());
            plan.polls_fail = true; // until one shows that it is well
            try_soon();
        } else if (well && !reachable) {
            plan.standing().answered();
            if (plan.polls_fail) try_soon();
        }
    }

    void network_changed(bool lost)
    {
        if (plan.polls_fail || lost) try_soon(); // what was lost may have been the way upstream
    }

    // One of several, so that a slow answer holds up none but itself.
    Task<> settle_forever()
    {
        for (;;) {
            auto id = plan.settling().take_due();
            if (id) {
                bells->settling.ring(); // there may be more than this one
                co_await plan.settling().fetch(std::move(*id));
                continue;
            }
            const auto due = plan.settling().next_due();
            const nanoseconds pause = due ? *due - clock.steady() : nanoseconds(interval);
            co_await bells->settling.wait(clock, std::max<nanoseconds>(pause, milliseconds(1)));
        }
    }

    milliseconds penalty(int failures) { return back_off(random, failures, first_pause, longest_pause); }

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
        plan.standing().failed(*failure, clock.now());
        co_return true;
    }

    // The bells belong to the loop, which may go before the engine does: they end with run().
    struct BellsUp {
        explicit BellsUp(Core& its_core) : core(its_core) { std::atomic_store(&core.shared_bells, core.bells); }
        BellsUp(const BellsUp&) = delete;
        BellsUp& operator=(const BellsUp&) = delete;
        ~BellsUp()
        {
            std::atomic_store(&core.shared_bells, std::shared_ptr<Bells>());
            core.bells.reset();
        }
        Core& core;
    };

    Task<> run()
    {
        using namespace asio::experimental::awaitable_operators;
        bells = std::make_shared<Bells>(co_await asio::this_coro::executor);
        const BellsUp up(*this);
        plan.wants_poll = [this] { bells->polls.more.ring(); };
        std::function<Task<>()> errands = [this] { return plan.run_errands(); };
        std::function<Task<>()> work = [this] { return plan.work_down(); };
        std::function<Task<>(std::size_t)> settle = [this](std::size_t) { return settle_forever(); };
        co_await (poll_forever() && go_on_forever(bells->errands, errands) && go_on_forever(bells->work, work) &&
                  in_parallel(settlers, static_cast<int>(settlers), settle));
    }

    Clock& clock;
    Random& random;
    milliseconds interval;
    Plan plan;
    bool polling = false;
    Clock::Steady tried_at{};        // the last poll
    std::function<void()> tell_back; // may be none
    std::shared_ptr<Bells> bells;
    std::shared_ptr<Bells> shared_bells; // the same, for other threads
};

Engine::Engine(upstream::Client& client, cache::Store& store, Clock& clock, Random& random, Options options)
    : core_(std::make_unique<Core>(client, store, clock, random, options))
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
        core_->plan.standing().failed(error, core_->clock.now());
        throw;
    }
}

std::shared_ptr<const State> Engine::state() const
{
    return core_->plan.standing().read();
}

// Where it does not run, the first pass is still to come.
void Engine::on_loop(std::function<void(Core&, Bells&)> action)
{
    const auto bells = std::atomic_load(&core_->shared_bells);
    if (!bells) return;
    asio::post(bells->loop, [core = core_.get(), bells, action = std::move(action)] { action(*core, *bells); });
}

void Engine::wake()
{
    on_loop([](Core& core, Bells& bells) {
        core.plan.hasten_poll();
        bells.polls.more.ring();
    });
}

void Engine::insist()
{
    on_loop([](Core& core, Bells& bells) {
        core.plan.insist();
        bells.ring_again();
        bells.polls.more.ring();
        bells.work.more.ring();
    });
}

void Engine::wake_conversation(ConversationId id)
{
    on_loop([id = std::move(id)](Core& core, Bells& bells) {
        core.plan.ask_for(id);
        bells.errands.more.ring();
    });
}

void Engine::heard(const upstream::Outcome& outcome)
{
    core_->heard(outcome);
}

void Engine::network_changed(bool lost)
{
    on_loop([lost](Core& core, Bells&) { core.network_changed(lost); });
}

void Engine::when_back(std::function<void()> tell)
{
    core_->tell_back = std::move(tell);
}

void Engine::on_fetched(std::function<void(const ConversationId&, std::uint64_t, bool)> fetched)
{
    core_->plan.settling().on_fetched(std::move(fetched));
}

void Engine::settle(ConversationId id, std::uint64_t fence, std::optional<std::int64_t> chats_before)
{
    on_loop([id = std::move(id), fence, chats_before](Core& core, Bells& bells) {
        core.plan.settling().ask_for(id, fence, chats_before);
        bells.settling.ring();
    });
}

void Engine::refresh_categories()
{
    on_loop([](Core& core, Bells& bells) {
        if (core.plan.ask_for_categories()) bells.polls.more.ring();
    });
}

void Engine::accept_deletions()
{
    on_loop([](Core& core, Bells& bells) {
        core.plan.accept_deletions();
        bells.work.more.ring();
    });
}

} // namespace alli::sync
