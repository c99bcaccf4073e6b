// SPDX-License-Identifier: Apache-2.0
#include "daemon/node/background_maintenance.hpp"

#include "alli/clock.hpp"
#include "alli/error.hpp"
#include "alli/log.hpp"
#include "cache/chats/chat_texts.hpp"
#include "cache/db/free_space.hpp"
#include "cache/insights/rollup_days.hpp"
#include "cache/search/index.hpp"
#include "cache/upkeep/check_files.hpp"
#include "cache/upkeep/inspect.hpp"
#include "cache/upkeep/purge.hpp"
#include "cache/upkeep/retention.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace alli::daemon {

Task<> complete_index(cache::Store& store, const std::atomic<bool>& stopping)
{
    const auto extend = [](cache::Writer& db) { return cache::extend_index(db); };
    const auto scour = [](cache::Writer& db) { return cache::merge_deleted_terms(db); };
    const auto pack = [](cache::Writer& db) { return cache::pack_texts(db); };
    bool more = true;
    while (more && !stopping) more = co_await store.write(extend);
    for (more = true; more && !stopping;) more = co_await store.write(pack);
    for (more = true; more && !stopping;) more = co_await store.write(scour);
}

static bool is_end(const std::exception_ptr& failure)
{
    try {
        std::rethrow_exception(failure);
    } catch (const Error& error) {
        return error.fault() == Fault::canceled;
    } catch (const boost::system::system_error& error) {
        return error.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

Task<> repeat(std::function<Task<>()> work, Pauses pauses)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    for (;;) {
        std::exception_ptr failure;
        try {
            co_await work();
        } catch (...) {
            failure = std::current_exception();
        }
        if (failure && is_end(failure)) std::rethrow_exception(failure);
        if (failure)
            log_event<Event::maintenance_failed>(std::string_view("the upkeep of the files"), reason_of(failure),
                                                 std::string_view("it is tried again in a while"));
        timer.expires_after(failure ? pauses.after_failure : pauses.usual);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

// A failure is retried half a day later; damage makes the store give up by itself.
static Task<> inspect(cache::Store& store, const std::atomic<bool>& stopping)
{
    const cache::Stopping stop = [&stopping] { return stopping.load(); };
    SystemClock clock;
    std::exception_ptr failure;
    try {
        co_await cache::inspect_when_due(store, clock.now(), stop);
    } catch (...) {
        failure = std::current_exception();
    }
    if (failure && is_end(failure)) co_return;
    if (failure)
        log_event<Event::maintenance_failed>(std::string_view("the weekly check"), reason_of(failure),
                                             std::string_view("it is tried again half a day later"));
}

static Task<> tend(cache::Store& store, const std::atomic<bool>& stopping, bool* read)
{
    const cache::Stopping stop = [&stopping] { return stopping.load(); };
    if (!*read) co_await cache::inspect_unread(store, stop);
    *read = true; // once a start
    co_await complete_index(store, stopping);
    cache::PurgeHooks hooks;
    hooks.stopping = stop;
    if (cache::has_remains(store)) co_await cache::erase_remains(store, std::move(hooks));
    co_await inspect(store, stopping);
}

Task<> tend_files(cache::Store& store, const std::atomic<bool>& stopping)
{
    constexpr Pauses pauses{std::chrono::hours(12), std::chrono::minutes(10)};
    bool read = false;
    std::function<Task<>()> work = [&] { return tend(store, stopping, &read); };
    co_await repeat(std::move(work), pauses);
}

// No more days than there were: a backfill that changes one again and again is not run after.
static Task<> count_days(cache::Store& store, const std::atomic<bool>& stopping)
{
    std::int64_t left = store.read([](cache::Reader& db) { return cache::count_stale_days(db); });
    std::int64_t counted = 1;
    const auto count = [&left](cache::Writer& db) { return cache::extend_rollups(db, left); };
    for (; counted > 0 && left > 0 && !stopping; left -= counted) counted = co_await store.write(count);
}

Task<> tend_figures(cache::Store& store, const std::atomic<bool>& stopping)
{
    constexpr Pauses pauses{std::chrono::minutes(1), std::chrono::minutes(10)};
    std::function<Task<>()> work = [&] { return count_days(store, stopping); };
    co_await repeat(std::move(work), pauses);
}

static void tell_retention(const cache::RetentionStep& step)
{
    if (step.announced)
        log_event<Event::retention_waits>(step.announced->conversations, to_rfc3339(step.announced->horizon),
                                          to_rfc3339(step.not_before));
    if (step.applied && step.applied->conversations > 0)
        log_event<Event::retention_applied>(step.applied->conversations, step.applied->chats,
                                            to_rfc3339(step.applied->horizon));
}

Task<> keep_to_retention(cache::Store& store, std::optional<std::chrono::milliseconds> keep,
                         const std::atomic<bool>& stopping)
{
    SystemClock clock;
    std::function<bool()> stop = [&stopping] { return stopping.load(); };
    Task<cache::RetentionStep> work = cache::move_horizon(store, keep, clock.now(), std::move(stop));
    tell_retention(co_await std::move(work));
}

Task<> follow_retention(cache::Store& store, std::optional<std::chrono::milliseconds> keep,
                        const std::atomic<bool>& stopping)
{
    constexpr Pauses pauses{std::chrono::minutes(10), std::chrono::minutes(10)};
    std::function<Task<>()> work = [&] { return keep_to_retention(store, keep, stopping); };
    co_await repeat(std::move(work), pauses);
}

static void tell_of_look(std::string_view why)
{
    log_event<Event::maintenance_failed>(std::string_view("the look at the files"), why,
                                         std::string_view("it is tried again in a while"));
}

// False if the store has given up, which it reported to its owner.
static Task<bool> look_at_files(cache::Store& store)
{
    std::optional<Fault> fault;
    try {
        co_await cache::check_files(store);
    } catch (const Error& error) {
        fault = error.fault();
    } catch (const std::exception& failure) {
        if (is_end(std::current_exception())) throw; // Boost's system_error is none of the standard's
        tell_of_look(failure.what());
    }
    co_return !fault || *fault == Fault::disk_full || *fault == Fault::busy;
}

Task<> watch_files(cache::Store& store, std::chrono::milliseconds pause)
{
    asio::steady_timer timer(co_await asio::this_coro::executor);
    do {
        timer.expires_after(cache::find_no_space() ? std::min<std::chrono::milliseconds>(pause, std::chrono::seconds(1))
                                                   : pause);
        co_await timer.async_wait(asio::use_awaitable);
    } while (co_await look_at_files(store));
}

} // namespace alli::daemon
