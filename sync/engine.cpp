// SPDX-License-Identifier: Apache-2.0
#include "sync/engine.hpp"

#include "sync/alarm.hpp"
#include "sync/estimate.hpp"
#include "sync/jobs.hpp"
#include "sync/reconcile.hpp"
#include "sync/retry.hpp"

#include <boost/asio/this_coro.hpp>

#include <deque>
#include <map>

namespace alli::sync {
namespace {

using cache::Progress;
using std::chrono::milliseconds;

constexpr milliseconds first_pause{1'000};
constexpr milliseconds longest_pause{15'000}; // a rejected key, or a dead upstream, is tried at least so often

} // namespace

struct Engine::Core {
    Core(upstream::Client& client, cache::Store& store, Clock& its_clock, Random& its_random, Options its_options)
        : clock(its_clock), random(its_random), options(its_options), tools{client,
                                                                            store,
                                                                            its_clock,
                                                                            its_random,
                                                                            its_options.max_parallel,
                                                                            its_options.overlap,
                                                                            its_options.reconcile_interval / 24},
          jobs(tools), reconcile(tools, its_options.reconcile_interval), pause(its_options.interval)
    {
        deletions.accepted = options.accept_deletions;
        const Progress progress = load_progress();
        adopt_time_unit(client, progress.unit);
        current.verified_at = progress.verified_at;
        current.backfill_done = !backfill_due(tools, since());
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

    Progress load_progress() const
    {
        return tools.store.read([](cache::Reader& db) { return cache::load_progress(db); });
    }

    void publish() { std::atomic_store(&published, std::make_shared<const State>(current)); }

    void note(const Ingested& done)
    {
        current.reachable = true;
        current.key_accepted = true;
        current.conversations += done.conversations;
        current.chats += done.chats;
        spent += 1 + done.chat_pages;
        publish();
        if (report) report(current);
    }

    Report reporter()
    {
        return [this](const Ingested& done) { note(done); };
    }

    bool poll_due() const { return !last_poll || clock.steady() - *last_poll >= pause; }

    // Sooner again while things happen; back to the interval while nothing does.
    void set_pause(bool news)
    {
        const milliseconds shortest = std::min(options.interval, milliseconds(1'000));
        pause = news ? std::max(options.interval / 8, shortest) : std::min(pause * 2, options.interval);
    }

    Task<> poll()
    {
        last_poll = clock.steady();
        Report report_it = reporter();
        const bool news = co_await increment(tools, deletions, report_it);
        set_pause(news);
        current.verified_at = load_progress().verified_at;
        ++current.passes;
        co_await follow_growing();
        publish();
    }

    // Messages still being written that no poll lists any more; each after a growing pause, for some never end.
    Task<> follow_growing()
    {
        const auto boundary = load_progress().boundary;
        auto growing = tools.store.read([](cache::Reader& db) { return cache::load_growing(db); });
        std::map<ConversationId, Job> still;
        std::vector<cache::Growing> due;
        for (const cache::Growing& it : growing) {
            if (it.last_chat_at && boundary && *it.last_chat_at >= *boundary - options.overlap) continue;
            Job& job = still[it.id];
            if (const auto known = followed.find(it.id); known != followed.end()) job = known->second;
            if (clock.steady() < job.not_before) continue;
            job.not_before = clock.steady() + options.interval * (1 << std::min(job.failures++, 7));
            due.push_back(it);
        }
        followed = std::move(still);
        Report report_it = reporter();
        co_await read_growing(tools, std::move(due), report_it);
    }

    // Once each: one that cannot be read must not hold up everything else. What fails for all is tried again for all.
    Task<> refresh_asked_for()
    {
        for (std::size_t left = asked_for.size(); left > 0; --left) {
            const ConversationId id = std::move(asked_for.front());
            asked_for.pop_front();
            co_await refresh_one(id, true);
        }
    }

    Task<> refresh_one(ConversationId id, bool again)
    {
        std::vector<ConversationId> one{id};
        Report report_it = reporter();
        std::optional<Error> failure;
        try {
            co_await refresh(tools, std::move(one), report_it);
        } catch (const Error& error) {
            failure = error;
        }
        if (!failure) co_return;
        if (concerns_all(*failure)) {
            if (again) asked_for.push_back(id);
            throw Error(*failure);
        }
        auto keep = [&](cache::Writer& db) { note_unreadable(db, random, id, *failure, clock.now()); };
        co_await tools.store.write(keep);
    }

    Task<> retry_problems()
    {
        const auto due =
            tools.store.read([this](cache::Reader& db) { return cache::load_due_problems(db, clock.now()); });
        for (const cache::Problem& problem : due) {
            if (problem.conversation) {
                const ConversationId id{*problem.conversation};
                co_await refresh_one(id, false);
            } else if (problem.unreadable) {
                co_await retry_window(tools, problem, deletions, duties());
            }
        }
    }

    Task<> between_pages()
    {
        co_await refresh_asked_for();
        if (poll_due()) co_await poll();
    }

    Duties duties()
    {
        Duties made;
        made.due = [this] { return poll_due() || !asked_for.empty(); };
        made.between = [this] { return between_pages(); };
        made.report = [this](const Ingested& done) { note(done); };
        return made;
    }

    // Reconcile keeps to its share: after what it spent it rests, and others go on meanwhile.
    Duties reconcile_duties()
    {
        Duties made = duties();
        made.between = [this] { return rest(); };
        return made;
    }

    Task<> rest()
    {
        const double seconds = options.reconcile_rate > 0 ? static_cast<double>(spent) / options.reconcile_rate : 0;
        spent = 0;
        auto until = clock.steady() +
                     std::chrono::duration_cast<Clock::Steady::duration>(std::chrono::duration<double>(seconds));
        for (;;) {
            co_await between_pages();
            const auto now = clock.steady();
            if (now >= until) break;
            const auto pause_now = std::min<std::chrono::nanoseconds>(until - now, *last_poll + pause - now);
            if (alarm)
                co_await alarm->wait(clock, pause_now);
            else
                co_await clock.sleep(pause_now);
        }
        spent = 0;
    }

    Task<> read_backfill()
    {
        current.backfill_done = false;
        if (!last_poll) last_poll = clock.steady(); // its first page is as new as a poll
        forecast.emplace(tools);
        Duties owed = duties();
        owed.due = [this, due = owed.due] { return forecast->wants_turn() || due(); };
        owed.between = [this] { return between_backfill_pages(); };
        owed.report = [this](const Ingested& done) { note_backfill_page(done); };
        co_await backfill(tools, since(), deletions, owed);
        current.fraction.reset();
        current.eta_seconds.reset();
    }

    void note_backfill_page(const Ingested& done)
    {
        forecast->count_page(done.conversations);
        current.fraction = forecast->fraction();
        current.eta_seconds = forecast->seconds_left();
        note(done);
    }

    Task<> between_backfill_pages()
    {
        co_await between_pages();
        co_await forecast->take_turn();
    }

    Task<> catch_up_with_upstream()
    {
        co_await refresh_asked_for();
        const bool behind = backfill_due(tools, since());
        std::function<Task<>()> work = [this] { return poll(); };
        if (once ? !behind : poll_due()) co_await jobs.attempt(polling, true, work);
        work = [this] { return read_backfill(); };
        co_await jobs.attempt(backfilling, behind, work);
        if (load_progress().backfill_done) current.backfill_done = true;
        work = [this] { return poll(); };
        if (behind) co_await jobs.attempt(polling, true, work); // it took its time
        co_await compare();
        work = [this] { return retry_problems(); };
        co_await jobs.attempt(retrying, true, work);
        if (polling.failures == 0) healthy();
    }

    Task<> compare()
    {
        std::function<Task<>()> work = [this] { return reconcile.run_census(deletions, reconcile_duties()); };
        co_await jobs.attempt(census_job, reconcile.census_due(), work);
        work = [this] { return reconcile.run_sweep(deletions, reconcile_duties()); };
        co_await jobs.attempt(sweeping, !once && reconcile.sweep_due(), work);
        work = [this] { return reconcile.settle_suspects(deletions, reconcile_duties()); };
        co_await jobs.attempt(settling, reconcile.suspects_due(deletions), work);
        work = [this] { return reconcile.run_counts(reconcile_duties()); };
        co_await jobs.attempt(counting, !once && reconcile.counts_due(), work);
        if (!once) deletions.accepted = false; // one round was meant
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
            std::optional<milliseconds> penalty;
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
            else if (co_await alarm->wait(clock, until_next()))
                last_poll.reset(); // it was rung: look at once
        }
    }

    std::chrono::nanoseconds until_next() const
    {
        const auto now = clock.steady();
        if (!last_poll) return milliseconds(1);
        const auto next = std::max(*last_poll + pause, polling.not_before);
        return std::max<std::chrono::nanoseconds>(next - now, milliseconds(1));
    }

    Clock& clock;
    Random& random;
    Options options;
    Tools tools;
    Jobs jobs;
    Reconcile reconcile;
    Deletions deletions;
    State current; // the loop's own
    std::function<void(const State&)> report;
    bool once = false;                      // run_once: all now, and every failure is thrown
    std::optional<Clock::Steady> last_poll; // none: at once
    milliseconds pause;
    std::int64_t spent = 0; // requests since reconcile last rested
    std::map<ConversationId, Job> followed;
    Job polling{"a poll failed"}, backfilling{"the backfill failed"}, census_job{"the census failed"},
        sweeping{"a comparison failed"}, settling{"deletions could not be confirmed"},
        counting{"daily counts could not be compared"}, retrying{"trying again failed"};
    std::optional<Forecast> forecast;
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
    core_->once = core_->jobs.once = true;
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

void Engine::accept_deletions()
{
    const auto alarm = std::atomic_load(&core_->shared_alarm);
    if (!alarm) return;
    alarm->post([core = core_.get()] { core->deletions.accepted = true; });
    Alarm::ring(alarm);
}

} // namespace alli::sync
