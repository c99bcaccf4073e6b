// SPDX-License-Identifier: Apache-2.0
#include "sync/plan.hpp"

namespace alli::sync {

using cache::Progress;
using std::chrono::milliseconds;

static constexpr std::chrono::milliseconds longest_between_polls{15'000}; // while they fail

// What is stored was read in one unit: reading on in another would mix two calendars.
static void adopt_time_unit(upstream::Client& client, TimeUnit stored)
{
    if (client.time_unit() == TimeUnit::unknown) client.set_time_unit(stored);
    if (stored != TimeUnit::unknown && client.time_unit() != stored)
        throw Error(Fault::settings, "take the setting back, or move the mirror aside: it is made anew from upstream",
                    "upstream.time_unit is not the unit that this mirror was made with");
}

Plan::Plan(upstream::Client& client, cache::Store& store, Clock& clock, Random& random, Options options)
    : options_(options), clocks_(options.clock_tolerance),
      recent_puts_(options.read_lag), context_{client,          store,
                                               clock,           random,
                                               fences_,         options.max_parallel,
                                               options.overlap, options.reconcile_interval / 24,
                                               clocks_,         refetch_,
                                               recent_puts_,    once_,
                                               &counting_},
      jobs_(context_), reconcile_(context_.followed_by(throttling_), options.reconcile_interval),
      categories_(context_, options.reconcile_interval), envelopes_(context_),
      refresh_queue_(context_, options.interval), ended_runs_(context_, options.read_lag), pause_(options.interval)
{
    // The age of the mirror counts from the last poll. Until the first scan for conversations without a chat is done,
    // no list without a window can be answered from the mirror.
    polling_.shortest_pause = std::chrono::seconds(1);
    polling_.longest_pause = std::min(options.interval, longest_between_polls);
    scanning_chatless_.shortest_pause = std::chrono::seconds(5);
    deletions_.accepted = options.accept_deletions;
    if (options.learns_envelopes)
        client.tell_envelope([this](Content content, const Envelope& found) { envelopes_.hear(content, found); });
    const Progress progress = load_progress();
    adopt_time_unit(client, progress.unit);
    sync_status_.current.verified_at = progress.verified_at;
    sync_status_.current.compared_at = clock.steady();
    sync_status_.current.backfill_done = !backfill_due(context_, since());
    sync_status_.publish();
}

Instant Plan::since() const
{
    return options_.backfill_since.value_or(cache::beginning_of_time);
}

Progress Plan::load_progress() const
{
    return context_.store.read([](cache::Reader& db) { return cache::load_progress(db); });
}

void Plan::Counting::committed(const Ingested& done)
{
    for (const ConversationId& id : done.refetched) plan_.refresh_queue_.ask_later(id);
    plan_.sync_status_.count(done);
    if (plan_.report_) plan_.report_(plan_.sync_status_.current);
}

// --- what is new -----------------------------------------------------------------------------------------------------

Clock::Steady Plan::next_poll() const
{
    return std::max(last_poll_ + pause_, polling_.not_before);
}

// Sooner again while things happen; back to the interval while nothing does.
void Plan::set_pause(bool news)
{
    const milliseconds shortest = std::min(options_.interval, milliseconds(1'000));
    pause_ = news ? std::max(options_.interval / 8, shortest) : std::min(pause_ * 2, options_.interval);
}

Task<> Plan::increase()
{
    last_poll_ = context_.clock.steady();
    if (!load_progress().boundary) {
        set_pause(true); // the first page of the backfill sets it: a wakeup from before it is answered soon after
        co_return;
    }
    const Increase increase = co_await increment(context_, deletions_);
    set_pause(increase.news || !increase.whole);
    if (increase.left_gap && wants_work) wants_work();
    if (!increase.whole) co_return; // it is a problem by itself
    sync_status_.current.verified_at = load_progress().verified_at;
    sync_status_.current.compared_at = last_poll_;
    ++sync_status_.current.passes;
    sync_status_.healthy();
}

Task<> Plan::poll()
{
    std::function<Task<>()> work = [this] { return increase(); };
    co_await jobs_.attempt(polling_, true, work);
    if (polling_.failure) throw Error(*polling_.failure);
    if (unreadable()) tell_how_it_is();
    co_await name_categories();
    co_await note_envelopes();
}

Task<> Plan::note_envelopes()
{
    std::function<Task<>()> work = [this] { return envelopes_.note(); };
    co_await jobs_.attempt(unwrapping_, options_.learns_envelopes && envelopes_.due(), work);
}

bool Plan::ask_for_categories()
{
    categories_.ask_for();
    return categories_.due();
}

Task<> Plan::name_categories()
{
    std::function<Task<>()> work = [this] { return categories_.refresh(); };
    co_await jobs_.attempt(naming_, options_.categories && categories_.due(), work);
}

// Why no comparison with upstream succeeds, though it answers. Before there is a boundary to poll from, the backfill
// is what asks.
const std::optional<Error>& Plan::unreadable() const
{
    return load_progress().boundary ? polling_.failure : backfilling_.failure;
}

// Only a comparison shows that all is well; a task that had nothing to do does not.
void Plan::tell_how_it_is()
{
    if (const auto& why = unreadable()) return sync_status_.failed(*why, context_.clock.now());
    if (!polls_fail) sync_status_.healthy();
}

void Plan::insist()
{
    context_.client.wake(); // an open breaker lets one through
    try_all_now();
}

void Plan::come_back()
{
    try_all_now();
    windows_due_ = true;
}

void Plan::try_all_now()
{
    for (Job* job : {&polling_, &backfilling_, &scanning_chatless_, &reconciling_, &confirming_deletions_,
                     &counting_days_, &naming_, &retrying_})
        job->not_before = {};
}

// --- all the rest ----------------------------------------------------------------------------------------------------

Task<> Plan::read_backfill()
{
    sync_status_.current.backfill_done = false;
    forecast_.emplace(context_);
    const SyncContext context = context_.followed_by(forecasting_);
    auto front = co_await begin_backfill(context, since(), deletions_);
    if (front) co_await reconcile_.run_chatless_end_scan(context, std::move(front), deletions_);
    co_await backfill(context, since(), deletions_);
    sync_status_.current.fraction.reset();
    sync_status_.current.eta_seconds.reset();
}

void Plan::Forecasting::committed(const Ingested& done)
{
    State& state = plan_.sync_status_.current;
    plan_.forecast_->count_page(done.conversations);
    state.fraction = plan_.forecast_->fraction();
    state.eta_seconds = plan_.forecast_->seconds_left();
    Counting::committed(done);
    // Only a poll has seen all that is new: until the first one no list without a window is complete.
    if (!state.verified_at && plan_.wants_poll) plan_.wants_poll();
}

bool Plan::Forecasting::wants_pause() const
{
    return plan_.forecast_->wants_turn();
}

Task<> Plan::Forecasting::pause()
{
    return plan_.forecast_->take_turn();
}

Task<> Plan::close_gaps()
{
    std::function<Task<>()> work = [this] { return read_backfill(); };
    co_await jobs_.attempt(backfilling_, backfill_due(context_, since()), work);
    if (load_progress().backfill_done) sync_status_.current.backfill_done = true;
    sync_status_.publish();
}

void Plan::Throttling::committed(const Ingested& done)
{
    requests_ += 1 + done.chat_pages;
    Counting::committed(done);
}

bool Plan::Throttling::wants_pause() const
{
    return plan_.options_.reconcile_rate > 0;
}

Task<> Plan::Throttling::pause()
{
    const auto requests = static_cast<double>(std::exchange(requests_, 0));
    if (!wants_pause()) co_return;
    const std::chrono::duration<double> seconds(requests / plan_.options_.reconcile_rate);
    co_await plan_.context_.clock.sleep(std::chrono::duration_cast<std::chrono::nanoseconds>(seconds));
}

Task<> Plan::compare()
{
    const bool accepted = deletions_.accepted;
    std::function<Task<>()> work = [this] { return reconcile_.run_chatless_scan(deletions_); };
    co_await jobs_.attempt(scanning_chatless_, reconcile_.chatless_scan_due(), work);
    work = [this] { return reconcile_.reconcile_next_range(deletions_); };
    co_await jobs_.attempt(reconciling_, !once_ && reconcile_.range_due(), work);
    work = [this] { return reconcile_.settle_deletion_candidates(deletions_); };
    co_await jobs_.attempt(confirming_deletions_, reconcile_.deletion_candidates_due(deletions_), work);
    work = [this] { return reconcile_.run_counts(); };
    co_await jobs_.attempt(counting_days_, !once_ && reconcile_.counts_due(), work);
    if (accepted && !range_waits()) deletions_.accepted = false; // one round was meant
}

// The last turn of it did not get through.
bool Plan::range_waits() const
{
    return !once_ && !reconciling_.failure && reconcile_.range_due();
}

Task<> Plan::retry_problems()
{
    if (std::exchange(windows_due_, false)) {
        auto all = [this](cache::Writer& db) { cache::make_windows_due(db, context_.clock.now()); };
        co_await context_.store.write(all);
    }
    const auto due =
        context_.store.read([this](cache::Reader& db) { return cache::load_due_problems(db, context_.clock.now()); });
    for (const cache::Problem& problem : due) {
        if (problem.conversation) {
            const ConversationId id{*problem.conversation};
            co_await refresh_one(context_, id);
        } else if (problem.unreadable) {
            co_await retry_window(context_, problem, deletions_);
        }
    }
}

// A problem that fails for ever must not delay the comparisons: its failure is thrown after them.
Task<std::optional<Error>> Plan::retry_what_is_due()
{
    std::function<Task<>()> work = [this] { return retry_problems(); };
    std::optional<Error> failure;
    try {
        co_await jobs_.attempt(retrying_, true, work);
    } catch (const Error& error) {
        if (error.fault() != Fault::unavailable && error.fault() != Fault::key_rejected) throw;
        failure = error;
    }
    co_return failure;
}

Task<> Plan::work_down()
{
    do {
        co_await close_gaps();
        const auto failure = co_await retry_what_is_due();
        co_await compare();
        if (failure) throw Error(*failure);
        tell_how_it_is();
    } while (range_waits());
}

Task<> Plan::pass_once(std::function<void(const State&)> report)
{
    report_ = std::move(report);
    once_ = jobs_.once = true;
    const bool behind = backfill_due(context_, since());
    if (!behind) co_await poll();
    co_await close_gaps();
    if (behind) co_await poll();
    co_await work_down();
}

} // namespace alli::sync
