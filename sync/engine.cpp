// SPDX-License-Identifier: Apache-2.0
#include "sync/engine.hpp"

#include "sync/passes.hpp"
#include "sync/retry.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <deque>

namespace alli::sync {
namespace {

using cache::Progress;

/// Something to wait for beside the clock. Belongs to the engine's loop.
class Alarm {
  public:
    explicit Alarm(asio::any_io_executor loop) : loop_(loop), rung_(loop, 1) {}

    template <class Action>
    void post(Action action) // any thread
    {
        asio::post(loop_, std::move(action));
    }

    static void ring(const std::shared_ptr<Alarm>& alarm) // any thread
    {
        alarm->post([alarm] { alarm->rung_.try_send(boost::system::error_code()); });
    }

    /// True when it rang before the time was up.
    Task<bool> wait(Clock& clock, std::chrono::nanoseconds pause)
    {
        using namespace asio::experimental::awaitable_operators;
        const auto first = co_await (clock.sleep(pause) || rung_.async_receive(asio::use_awaitable));
        co_return first.index() == 1;
    }

  private:
    asio::any_io_executor loop_;
    asio::experimental::channel<void(boost::system::error_code)> rung_;
};

constexpr std::chrono::milliseconds first_pause{1'000};
constexpr std::chrono::milliseconds longest_pause{
    15'000}; // a rejected key, or a dead upstream, is tried at least so often

} // namespace

struct Engine::Core {
    Core(upstream::Client& client, cache::Store& store, Clock& its_clock, Random& its_random, Options its_options)
        : clock(its_clock), random(its_random),
          options(its_options), tools{client, store, its_clock, its_random, its_options.max_parallel}
    {
        const Progress progress = store.read([](cache::Reader& db) { return cache::load_progress(db); });
        adopt_time_unit(client, progress.unit);
        current.verified_at = progress.verified_at;
        current.backfill_done = !backfill_due();
        publish();
    }

    // What is stored was read in one unit: reading on in another would mix two calendars.
    static void adopt_time_unit(upstream::Client& client, TimeUnit stored)
    {
        if (client.time_unit() == TimeUnit::unknown) client.set_time_unit(stored);
        if (stored != TimeUnit::unknown && client.time_unit() != stored)
            throw Error(Fault::settings,
                        "take the setting back, or move the mirror aside: it is made anew from upstream",
                        "upstream.time_unit is not the unit that this mirror was made with");
    }

    Instant since() const { return options.backfill_since.value_or(cache::beginning_of_time); }

    bool backfill_due() const
    {
        return !tools.store.read([this](cache::Reader& db) { return cache::is_covered(db, since(), std::nullopt); });
    }

    bool census_due() const
    {
        const Progress progress = tools.store.read([](cache::Reader& db) { return cache::load_progress(db); });
        if (!progress.chatless_at || *progress.chatless_at > clock.now())
            return true; // never, or the clock was set back
        return clock.now() - *progress.chatless_at > options.reconcile_interval;
    }

    bool increment_due() const { return clock.steady() - last_increment >= options.interval; }

    void publish() { std::atomic_store(&published, std::make_shared<const State>(current)); }

    void note(const Ingested& done)
    {
        current.reachable = true;
        current.key_accepted = true;
        current.conversations += done.conversations;
        current.chats += done.chats;
        publish();
        if (report) report(current);
    }

    Report reporter()
    {
        return [this](const Ingested& done) { note(done); };
    }

    Task<> poll()
    {
        last_increment = clock.steady();
        Report report_it = reporter();
        co_await increment(tools, options.overlap, report_it);
        current.verified_at = tools.store.read([](cache::Reader& db) { return cache::load_progress(db); }).verified_at;
        ++current.passes;
        publish();
    }

    // Once each: one that cannot be read must not hold up everything else. What fails for all is tried again for all.
    Task<> refresh_asked_for()
    {
        for (std::size_t left = asked_for.size(); left > 0; --left) {
            const ConversationId id = std::move(asked_for.front());
            asked_for.pop_front();
            std::vector<ConversationId> one{id};
            Report report_it = reporter();
            std::optional<Error> failure;
            try {
                co_await refresh(tools, std::move(one), report_it);
            } catch (const Error& error) {
                failure = error;
            }
            if (failure && concerns_all(*failure)) {
                asked_for.push_back(id);
                throw Error(*failure);
            }
            co_await note_refresh(id, failure);
        }
    }

    static bool concerns_all(const Error& error)
    {
        return error.fault() != Fault::bad_reply && error.fault() != Fault::refused;
    }

    Task<> note_refresh(ConversationId id, std::optional<Error> failure)
    {
        const std::string key = "conversation " + id.value;
        const Instant now = clock.now();
        auto note = [&](cache::Writer& db) {
            if (failure)
                cache::put_problem(db, key,
                                   {fmt::format("a conversation that a local app changed could not be read again: {}",
                                                failure->what()),
                                    failure->hint(), now});
            else
                cache::clear_problem(db, key);
        };
        co_await tools.store.write(note);
    }

    Task<> between_pages()
    {
        co_await refresh_asked_for();
        if (increment_due()) co_await poll();
    }

    Task<> catch_up_with_upstream()
    {
        co_await refresh_asked_for();
        Report report_it = reporter();
        if (backfill_due()) {
            current.backfill_done = false;
            last_increment = clock.steady();
            std::function<Task<>()> between = [this] { return between_pages(); };
            co_await backfill(tools, since(), between, report_it);
        }
        current.backfill_done = true;
        co_await poll();
        if (census_due()) co_await census(tools, report_it);
        healthy();
    }

    void healthy()
    {
        current.reachable = current.key_accepted = true;
        current.error.clear();
        current.hint.clear();
        current.failing_since.reset();
        publish();
    }

    void failed(const Error& error)
    {
        current.reachable = error.fault() == Fault::key_rejected;
        current.key_accepted = error.fault() != Fault::key_rejected;
        current.error = error.what();
        current.hint = error.hint();
        if (!current.failing_since) current.failing_since = clock.now();
        publish();
    }

    // The alarm belongs to the loop, which may go before the engine does: it ends with run().
    struct AlarmSet {
        explicit AlarmSet(Core& its_core) : core(its_core) { std::atomic_store(&core.shared_alarm, core.alarm); }
        AlarmSet(const AlarmSet&) = delete;
        AlarmSet& operator=(const AlarmSet&) = delete;
        ~AlarmSet()
        {
            std::atomic_store(&core.shared_alarm, std::shared_ptr<Alarm>());
            core.alarm.reset();
        }
        Core& core;
    };

    Task<> run()
    {
        alarm = std::make_shared<Alarm>(co_await asio::this_coro::executor);
        const AlarmSet set(*this);
        for (int failures = 0;;) {
            std::optional<std::chrono::milliseconds> penalty;
            try {
                co_await catch_up_with_upstream();
                failures = 0;
            } catch (const Error& error) {
                if (error.fault() == Fault::damaged || error.fault() == Fault::io)
                    throw; // not to be retried: docs/decisions/0004
                failed(error);
                penalty = back_off(random, failures++, first_pause, longest_pause);
            }
            // Readers of an old mirror ring the alarm; an upstream in trouble must not hear of each of them.
            if (penalty)
                co_await clock.sleep(*penalty);
            else
                co_await alarm->wait(clock, options.interval);
        }
    }

    Clock& clock;
    Random& random;
    Options options;
    Tools tools;
    State current; // the loop's own
    std::function<void(const State&)> report;
    Clock::Steady last_increment{};
    std::deque<ConversationId> asked_for;
    std::shared_ptr<Alarm> alarm;
    std::shared_ptr<Alarm> shared_alarm;    // the same, for other threads
    std::shared_ptr<const State> published; // atomically replaced
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
    core_->report = std::move(report);
    try {
        co_await core_->catch_up_with_upstream();
    } catch (const Error& error) {
        core_->failed(error);
        throw;
    }
}

std::shared_ptr<const State> Engine::state() const
{
    return std::atomic_load(&core_->published);
}

void Engine::wake()
{
    if (const auto alarm = std::atomic_load(&core_->shared_alarm)) Alarm::ring(alarm);
}

void Engine::wake_conversation(ConversationId id)
{
    const auto alarm = std::atomic_load(&core_->shared_alarm);
    if (!alarm) return; // not running: the first pass is still to come
    alarm->post([core = core_.get(), id = std::move(id)]() mutable { core->asked_for.push_back(std::move(id)); });
    Alarm::ring(alarm);
}

} // namespace alli::sync
